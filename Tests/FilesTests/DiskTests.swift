import Files
import Foundation
import Testing

@Suite struct DiskTests {
  let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  @Test func `replacing a file puts every byte under its name and leaves nothing beside`() throws {
    let path = "\(scratch.path)/a"
    for bytes in [[], [1, 2, 3], [UInt8](repeating: 7, count: 3_000_000), [9]] as [[UInt8]] {
      try Disk.replace(path, with: bytes)
      #expect(try Disk.read(path, bytesMax: 3_000_000) == bytes)
    }
    #expect(try scratch.names() == ["a"])
  }

  @Test func `a reader sees the old bytes or the new ones and never a part`() throws {
    let path = "\(scratch.path)/a"
    let versions = (0..<8).map { [UInt8](repeating: UInt8($0), count: 100_000 + 1_000 * $0) }
    try Disk.replace(path, with: versions[0])
    let writer = Thread {
      for round in 0..<200 { try? Disk.replace(path, with: versions[round % 8]) }
    }
    writer.start()
    while !writer.isFinished {
      let bytes = try Disk.read(path, bytesMax: 1 << 20)
      #expect(bytes == versions[Int(bytes.first ?? 0)])
    }
  }

  @Test(arguments: [1, 7, 23, 60]) func `a process killed while it replaces leaves old or new`(milliseconds: Int) async throws {
    let path = "\(scratch.path)/a"
    try Disk.replace(path, with: [UInt8](repeating: 0, count: 500_000))
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, milliseconds = milliseconds as Int] in
      Thread.detachNewThread {
        usleep(UInt32(1_000 * milliseconds))
        kill(getpid(), SIGKILL)
      }
      for round in 1... { try? Disk.replace(path, with: [UInt8](repeating: UInt8(round % 256), count: 500_000)) }
    }
    let bytes = try Disk.read(path, bytesMax: 1 << 20)
    #expect(bytes.count == 500_000 && Set(bytes).count == 1)
    try StagedFile.sweep(scratch.path)
    #expect(try scratch.names() == ["a"])
  }

  @Test func `a write that the disk refuses leaves the old bytes and nothing beside`() async throws {
    let path = "\(scratch.path)/a"
    try Disk.replace(path, with: [1, 2, 3])
    await #expect(processExitsWith: .success) { [path = path as String] in
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 10_000, rlim_max: 10_000)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      let error = #expect(throws: Errno.self) { try Disk.replace(path, with: [UInt8](repeating: 4, count: 20_000)) }
      #expect(error?.code == EFBIG && error?.operation == "write")
    }
    #expect(try Disk.read(path, bytesMax: 10) == [1, 2, 3])
    #expect(try scratch.names() == ["a"])
  }

  @Test func `a file dropped before it is committed leaves nothing`() throws {
    do {
      let staged = try StagedFile(for: "\(scratch.path)/a")
      try staged.write([1, 2].span)
      #expect(try scratch.names().count == 1)
    }
    #expect(try scratch.names() == [])
  }

  @Test func `errors say operation, path and cause`() {
    let path = "\(scratch.path)/absent/a"
    let error = #expect(throws: Errno.self) { try Disk.read(path, bytesMax: 10) }
    #expect(error?.description == "open \(path): No such file or directory (ENOENT)")
    #expect(error?.meansAbsent == true)
    #expect(Errno(code: 4095, operation: "write", path: "/a").description.hasSuffix("(errno 4095)"))
    #expect(Errno(code: ENOSPC, operation: "write", path: "/a").meansDiskFull)
  }

  @Test func `a file longer than allowed is refused and not read`() throws {
    try Disk.replace("\(scratch.path)/a", with: [1, 2, 3])
    let error = #expect(throws: Errno.self) { try Disk.read("\(scratch.path)/a", bytesMax: 2) }
    #expect(error?.code == EFBIG)
  }

  @Test func `folders are made with those above, and again without harm`() throws {
    let deep = "\(scratch.path)/a/b/c"
    for _ in 0..<2 { try Disk.createFolders(deep) }
    #expect(try Disk.status(of: deep)?.isFolder == true)
    try Disk.replace("\(scratch.path)/file", with: [])
    #expect(throws: Errno.self) { try Disk.createFolders("\(scratch.path)/file/a") }
    #expect(throws: Errno.self) { try Disk.createFolders("\(scratch.path)/file") }
  }

  @Test func `removing a tree takes links and leaves what they lead to`() throws {
    try Disk.createFolders("\(scratch.path)/kept")
    try Disk.replace("\(scratch.path)/kept/a", with: [1])
    try Disk.createFolders("\(scratch.path)/gone/deep")
    try FileManager.default.createSymbolicLink(
      atPath: "\(scratch.path)/gone/deep/link", withDestinationPath: "\(scratch.path)/kept")
    try Disk.removeTree("\(scratch.path)/gone")
    try Disk.removeTree("\(scratch.path)/gone")
    #expect(try Disk.list(scratch.path) == ["kept"])
    #expect(try Disk.list("\(scratch.path)/kept") == ["a"])
  }

  @Test func `moving takes a file from one folder to another`() throws {
    try Disk.createFolders("\(scratch.path)/to")
    try Disk.replace("\(scratch.path)/a", with: [1])
    try Disk.move("\(scratch.path)/a", to: "\(scratch.path)/to/b")
    #expect(!Disk.exists("\(scratch.path)/a"))
    #expect(try Disk.read("\(scratch.path)/to/b", bytesMax: 1) == [1])
    #expect(throws: Errno.self) { try Disk.move("\(scratch.path)/a", to: "\(scratch.path)/b") }
  }

  @Test func `a mapped file has the bytes of the file, and an empty one none`() throws {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try Disk.replace("\(scratch.path)/a", with: bytes)
    let mapped = try MappedFile("\(scratch.path)/a")
    #expect(mapped.withBytes { span in bytes.indices.allSatisfy { span[$0] == bytes[$0] } && span.count == bytes.count })
    try Disk.replace("\(scratch.path)/empty", with: [])
    #expect(try MappedFile("\(scratch.path)/empty").withBytes { $0.count } == 0)
    #expect(throws: Errno.self) { try MappedFile("\(scratch.path)/absent") }
  }

  @Test func `lines are added at the end of an appended file`() throws {
    for line in ["one\n", "two\n"] {
      let file = try OpenFile(appending: "\(scratch.path)/log")
      try file.write(Array(line.utf8).span)
    }
    #expect(try Disk.read("\(scratch.path)/log", bytesMax: 100) == Array("one\ntwo\n".utf8))
  }
}
