import Datasets
import Files
import Foundation
import JSON
import Testing

/// Sanitizers map terabytes of addresses before a program begins.
private let roomForSanitizers = ["--memory-bytes", "\(1 << 48)"]
private let isSanitized = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil

/// The decoder as a process of its own, under the limits that it sets itself.
@Suite struct DecodeCommandTests {
  let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  @Test func `a good upload exits with 0 and leaves both files`() async throws {
    let upload = try scratch.write(Handmade.idx([2, 2], [1, 2, 3, 4]))
    let folder = try scratch.folder()
    let result = await #expect(processExitsWith: .exitCode(0), observing: [\.standardOutputContent]) {
      [upload = upload as String, folder = folder as String] in
      exit(DecodeCommand.run(arguments: [upload, folder] + roomForSanitizers))
    }
    #expect(try Disk.list(folder) == ["dataset.json", "examples.npy"])
    let dataset = try Dataset(folder: folder)
    #expect(dataset.count == 2)
    #expect(try DatasetDescription(json: printed(result)) == dataset.description)
  }

  @Test(.enabled(if: !isSanitized)) func `the limits that hold unless told otherwise are enough`() async throws {
    let upload = try scratch.write(Handmade.npy("<f8", "(100, 1000)", [UInt8](repeating: 0, count: 800_000), order: "True"))
    let folder = try scratch.folder()
    await #expect(processExitsWith: .exitCode(0)) { [upload = upload as String, folder = folder as String] in
      exit(DecodeCommand.run(arguments: [upload, folder]))
    }
  }

  @Test func `a bad upload exits with 65 and one line of JSON`() async throws {
    let upload = try scratch.write(Handmade.idx([2, 2], [1, 2, 3]))
    let folder = try scratch.folder()
    let result = await #expect(processExitsWith: .exitCode(65), observing: [\.standardOutputContent]) {
      [upload = upload as String, folder = folder as String] in
      exit(DecodeCommand.run(arguments: [upload, folder] + roomForSanitizers))
    }
    let json = try printed(result)
    #expect(json["offset"]?.integer == 15 && json["kind"]?.string == "malformed")
    #expect(json["detail"]?.string?.contains("promises 4 bytes and 3 are there") == true)
    #expect(try Disk.list(folder) == [])
  }

  @Test func `wrong arguments exit with 64, and a failing disk with 74`() async throws {
    for arguments in [
      [], ["a"], ["a", "b", "c"], ["a", "b", "--memory-bytes"], ["a", "b", "--memory-bytes", "0"], ["a", "b", "--other", "1"],
    ] {
      let joined = arguments.joined(separator: " ")
      await #expect(processExitsWith: .exitCode(64)) { [joined = joined as String] in
        exit(DecodeCommand.run(arguments: joined.split(separator: " ").map(String.init)))
      }
    }
    let upload = try scratch.write(Handmade.idx([1, 1], [1]))
    await #expect(processExitsWith: .exitCode(74)) { [upload = upload as String] in
      exit(DecodeCommand.run(arguments: [upload, upload + ".absent"] + roomForSanitizers))
    }
  }

  @Test func `a file limit is kept by an error and not by a signal`() async throws {
    let upload = try scratch.write(Handmade.idx([100_000, 2], [UInt8](repeating: 1, count: 200_000)))
    let folder = try scratch.folder()
    await #expect(processExitsWith: .exitCode(65)) { [upload = upload as String, folder = folder as String] in
      exit(DecodeCommand.run(arguments: [upload, folder, "--file-bytes", "100000"] + roomForSanitizers))
    }
    // Below what the decoder itself counts, the kernel's own limit makes the write fail.
    await #expect(processExitsWith: .success) { [upload = upload as String, folder = folder as String] in
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 100_000, rlim_max: 100_000)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      do { _ = try decode(upload: upload, into: folder) } catch let error as DecodeError { exit(error.kind == .tooLarge ? 0 : 1) }
      exit(2)
    }
    #expect(try Disk.list(folder) == [])
  }

  @Test func `the kernel's limits are set for good before the upload is touched`() async throws {
    let absent = "\(scratch.path)/absent"
    await #expect(processExitsWith: .success) { [absent = absent as String] in
      let limits = ["--memory-bytes", "\(1 << 40)", "--processor-seconds", "7", "--file-bytes", "5000"]
      let mappedBefore = mappedBytes()
      #expect(DecodeCommand.run(arguments: [absent, absent] + limits) == 74)
      // Memory counts from what the program has mapped by itself.
      var memory = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &memory)
      #expect((mappedBefore + (1 << 40)...mappedBytes() + (1 << 40)).contains(Int(memory.rlim_cur)) && memory.rlim_max == memory.rlim_cur)
      for (resource, value) in [(RLIMIT_CPU, 12), (RLIMIT_FSIZE, 9_096), (RLIMIT_CORE, 0)] {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(resource.rawValue), &limit)
        #expect(limit.rlim_cur == rlim_t(value) && limit.rlim_max == rlim_t(value))
      }
    }
  }

  @Test func `a large upload takes no more memory than a small one`() async throws {
    let upload = "\(scratch.path)/upload"
    let header = Handmade.npy("|u1", "(\(1 << 16), 1024)", [])
    try Data(header).write(to: URL(fileURLWithPath: upload))
    #expect(truncate(upload, header.count + 64 << 20) == 0)
    let folder = try scratch.folder()
    await #expect(processExitsWith: .success) { [upload = upload as String, folder = folder as String] in
      var before = rusage()
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &before)
      let status = DecodeCommand.run(arguments: [upload, folder] + roomForSanitizers)
      var after = rusage()
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &after)
      // In kB.
      #expect(status == 0 && after.ru_maxrss - before.ru_maxrss < 20_000, "\(status), \(before.ru_maxrss) to \(after.ru_maxrss) kB")
    }
    #expect(try Dataset(folder: folder).count == 1 << 16)
  }

  private func printed(_ result: ExitTest.Result?) throws -> JSONValue {
    let output = String(decoding: try #require(result).standardOutputContent, as: UTF8.self)
    let line = try #require(output.split(separator: "\n").first { $0.hasPrefix("{") })
    return try JSONValue(parsing: String(line))
  }
}

/// The address space that this process has mapped (proc(5), statm).
private func mappedBytes() -> Int {
  let text = FileManager.default.contents(atPath: "/proc/self/statm").map { String(decoding: $0, as: UTF8.self) } ?? ""
  return (text.split(separator: " ").first.flatMap { Int($0) } ?? 0) * sysconf(Int32(_SC_PAGESIZE))
}
