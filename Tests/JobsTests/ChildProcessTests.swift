import Dispatch
import Files
import Foundation
import Jobs
import Testing

struct ChildProcessTests {
  let queue = DispatchQueue(label: "child-tests")
  let exit = Shared<ChildExit?>(nil)

  private func launch(
    _ script: String, arguments: [String] = [], environment: [String]? = nil, outputBytesMax: Int = 65_536, hasChannel: Bool = false,
    deadlineSeconds: Double? = nil
  ) throws -> ChildProcess {
    let launch = ChildLaunch(
      executable: "/bin/sh", arguments: ["-c", script, "sh"] + arguments, environment: environment,
      output: .captured(bytesMax: outputBytesMax), errors: .captured(bytesMax: 4096), hasChannel: hasChannel,
      deadlineSeconds: deadlineSeconds)
    return try ChildProcess(launch, queue: queue) { [exit] found in
      exit.change {
        precondition($0 == nil, "a child ends once")
        $0 = found
      }
    }
  }

  private func end() throws -> ChildExit {
    try eventually("the child ends") { exit.value != nil }
    return try #require(exit.value)
  }

  @Test func `an exit code and both streams come back`() throws {
    _ = try launch("echo out $1; echo err >&2; exit 7", arguments: ["two words"])
    let end = try end()
    #expect(end.status == .exited(code: 7))
    #expect(end.output.text == "out two words\n")
    #expect(end.errors.text == "err\n")
    #expect(!end.output.isCut && !end.deadlinePassed && !end.status.isSuccess)
  }

  @Test func `death by a signal is told as one`() throws {
    _ = try launch("kill -SEGV $$")
    let end = try end()
    #expect(end.status == .signalled(SIGSEGV))
    #expect("\(end.status)" == "signal 11 (SIGSEGV)")
  }

  @Test func `output over its limit is cut, and the child does not block on it`() throws {
    _ = try launch("head -c 3000000 /dev/zero; exit 3", outputBytesMax: 1000)
    let end = try end()
    #expect(end.status == .exited(code: 3))
    #expect(end.output.bytes.count == 1000)
    #expect(end.output.isCut)
  }

  @Test func `a child that closes its output and lives on costs nothing`() throws {
    let child = try launch("exec >&- 2>&-; read line; exit 4")
    child.cutLifeline()
    #expect(try end().status == .exited(code: 4))
  }

  @Test func `a program that is not there is refused with its path`() throws {
    let launch = ChildLaunch(executable: "/nowhere/fount", arguments: [])
    let error = #expect(throws: Errno.self) { try ChildProcess(launch, queue: queue) { _ in } }
    #expect(error?.code == ENOENT)
    #expect(error?.path == "/nowhere/fount")
  }

  @Test func `the environment is what was given`() throws {
    _ = try launch("echo $FRUIT:$HOME", environment: ["FRUIT=pear"])
    #expect(try end().output.text == "pear:\n")
  }

  @Test func `nothing else is inherited`() throws {
    // Descriptors without close-on-exec, as a library may leave them.
    let leaked = (0..<5).map { _ in open("/dev/null", O_RDONLY) }
    defer { for descriptor in leaked { close(descriptor) } }
    _ = try launch("exec 9</proc/self/fd; ls /proc/self/fd")
    // 9 is the script's own; 3 is the folder that ls reads.
    #expect(try end().output.text.split(separator: "\n").sorted() == ["0", "1", "2", "3", "9"])
  }

  @Test func `signals are as a shell would have them`() throws {
    signal(SIGPIPE, SIG_IGN)
    _ = try launch("grep -E 'SigBlk|SigIgn' /proc/self/status")
    let masks = try end().output.text.split(separator: "\n").compactMap { UInt64($0.suffix(16), radix: 16) }
    // Signals 32 and 33 are glibc's own, which its posix_spawn leaves ignored.
    #expect(masks.map { $0 & 0x7fff_ffff } == [0, 0])
  }

  @Test func `the end of the lifeline reaches the child`() throws {
    let child = try launch("cat; echo the server is gone")
    // A sibling must not hold the lifeline open.
    let sibling = try ChildProcess(ChildLaunch(executable: "/bin/sleep", arguments: ["600"]), queue: queue) { _ in }
    defer { sibling.kill() }
    child.cutLifeline()
    child.cutLifeline()
    let end = try end()
    #expect(end.status.isSuccess)
    #expect(end.output.text == "the server is gone\n")
  }

  @Test func `terminate asks, and kill does not`() throws {
    let child = try launch("trap 'echo asked' TERM; echo ready; while :; do sleep 0.05; done")
    let other = Shared<Termination?>(nil)
    let polite = try ChildProcess(ChildLaunch(executable: "/bin/sleep", arguments: ["600"]), queue: queue) { end in
      other.change { $0 = end.status }
    }
    polite.terminate()
    try eventually("the polite child goes") { other.value != nil }
    #expect(other.value == .signalled(SIGTERM))
    child.terminate()
    Thread.sleep(forTimeInterval: 0.2)
    child.kill()
    #expect(try end().status == .signalled(SIGKILL))
    // After its end, its number may be another's.
    child.terminate()
    child.kill()
  }

  @Test func `a deadline ends in SIGKILL and is told`() throws {
    _ = try launch("trap '' TERM; while :; do sleep 0.05; done", deadlineSeconds: 0.2)
    let end = try end()
    #expect(end.deadlinePassed)
    #expect(end.status == .signalled(SIGKILL))
  }

  @Test func `a deadline that is not reached does nothing`() throws {
    _ = try launch("exit 0", deadlineSeconds: 0.5)
    let end = try end()
    Thread.sleep(forTimeInterval: 0.7)
    #expect(!end.deadlinePassed && end.status.isSuccess)
  }

  @Test func `what a child leaves running goes with it`() throws {
    let child = try launch("sleep 600 & echo $!; exit 0")
    #expect(child.pid > 0)
    let end = try end()
    let grandchild = try #require(Int(end.output.text.trimmingCharacters(in: .whitespacesAndNewlines)))
    try eventually("the grandchild is gone, or a zombie that its new parent has yet to reap") {
      guard let stat = try? String(contentsOfFile: "/proc/\(grandchild)/stat", encoding: .utf8) else { return true }
      return stat.contains(") Z ")
    }
  }

  @Test func `the extra channel goes both ways`() throws {
    let child = try launch("head -c 5 <&3 >&3; exit 0", hasChannel: true)
    #expect(child.channel > 3)
    let channel = FileHandle(fileDescriptor: child.channel, closeOnDealloc: true)
    try channel.write(contentsOf: Data("hello".utf8))
    #expect(try channel.read(upToCount: 5) == Data("hello".utf8))
    #expect(try end().status.isSuccess)
    #expect(try channel.read(upToCount: 1)?.isEmpty ?? true)
  }

  @Test func `a hundred children at once leave no descriptor open`() throws {
    func descriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
    let ended = Shared(0)
    let before = try descriptors()
    for _ in 0..<100 {
      let launch = ChildLaunch(executable: "/bin/sh", arguments: ["-c", "echo x"], output: .captured(bytesMax: 10))
      _ = try ChildProcess(launch, queue: queue) { end in ended.change { $0 += end.output.text == "x\n" ? 1 : 1000 } }
    }
    try eventually("all end") { ended.value >= 100 }
    #expect(ended.value == 100)
    // Other tests run beside this one and have descriptors of their own.
    try eventually("they are closed") { try descriptors() < before + 60 }
  }
}
