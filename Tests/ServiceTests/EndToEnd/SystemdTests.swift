import Foundation
import JSON
import Testing

/// What a service manager hears from `fount serve`, on a real socket of its own.
@Suite struct `A server under systemd` {
  private static func start(
    _ folder: TemporaryFolder, _ socket: DatagramSocket, watchdogMicroseconds: Int? = nil, environment: [String: String] = [:],
    flags: [String] = []
  ) throws -> FountProcess {
    var environment = environment
    environment["NOTIFY_SOCKET"] = socket.address
    if let watchdogMicroseconds { environment["WATCHDOG_USEC"] = "\(watchdogMicroseconds)" }
    return try FountProcess(data: folder.path, flags: flags, environment: environment, log: folder.path + "/log")
  }

  @Test(arguments: [true, false])
  func `says that it is ready when it is, that it reloads, and that it leaves, by a path and by an abstract name`(isAbstract: Bool) throws {
    let folder = try TemporaryFolder()
    let socket = try DatagramSocket((isAbstract ? "@" : NSTemporaryDirectory() + "fount-") + UUID().uuidString)
    defer { unlink(socket.address) }
    let fount = try Self.start(folder, socket)
    let ready = try #require(try socket.receive(seconds: 30))
    #expect(ready == ["READY": "1", "STATUS": "Listens on \(fount.base)"])
    #expect(try fount.curl("/readyz").status == 200)

    kill(fount.pid, SIGHUP)
    let reloading = try #require(try socket.receive(seconds: 30))
    #expect(reloading["RELOADING"] == "1")
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    let told = try #require(reloading["MONOTONIC_USEC"].flatMap { Int($0) })
    #expect((0..<30_000_000).contains(time.tv_sec * 1_000_000 + time.tv_nsec / 1000 - told))
    #expect(try socket.receive(seconds: 30) == ready)

    kill(fount.pid, SIGTERM)
    let stopping = try #require(try socket.receive(seconds: 30))
    #expect(stopping["STOPPING"] == "1")
    // The 30 seconds of the default drain, and what the last write may take.
    #expect(stopping["EXTEND_TIMEOUT_USEC"] == "35000000")
    #expect(fount.waitForEnd() == 0)
    #expect(try socket.receive(seconds: 0.1) == nil)
  }

  @Test func `tells the watchdog that it lives, and does not while it stands still`() throws {
    let folder = try TemporaryFolder()
    let socket = try DatagramSocket("@" + UUID().uuidString)
    let fount = try Self.start(folder, socket, watchdogMicroseconds: 200_000)
    _ = try socket.wait(for: "READY")
    for _ in 0..<3 { #expect(try socket.receive(seconds: 10) == ["WATCHDOG": "1"]) }
    kill(fount.pid, SIGSTOP)
    var status = ""
    while !status.contains(") T ") { status = try String(contentsOfFile: "/proc/\(fount.pid)/stat", encoding: .utf8) }
    try socket.empty()
    #expect(try socket.receive(seconds: 0.5) == nil)
    kill(fount.pid, SIGCONT)
    #expect(try socket.receive(seconds: 10) == ["WATCHDOG": "1"])
  }

  @Test func `goes on telling the watchdog while it leaves`() throws {
    let folder = try TemporaryFolder()
    let socket = try DatagramSocket("@" + UUID().uuidString)
    let flags = ["--workers", "1", "--drain-seconds-max", "4"]
    let fount = try Self.start(folder, socket, watchdogMicroseconds: 200_000, flags: flags)
    let dataset = try fount.dataset(`A job that is steered`.examples)
    let id = try #require(try fount.submit(`A job that is steered`.longJob(dataset, ["epochs": 100_000]))["id"]?.string)
    try fount.wait(for: id) { ($0["progress"]?["step"]?.integer ?? 0) > 0 }
    let found = try Program.run("/usr/bin/pgrep", ["-P", "\(fount.pid)", "-f", "fount worker"])
    let worker = try #require(Int32(found.output.trimmingCharacters(in: .whitespacesAndNewlines)))

    // A child has nothing to say to the manager, and no way to.
    let environment = try String(contentsOfFile: "/proc/\(worker)/environ", encoding: .utf8)
    #expect(environment.contains("PATH=") && !environment.contains("NOTIFY_SOCKET") && !environment.contains("WATCHDOG"))

    kill(worker, SIGSTOP)
    kill(fount.pid, SIGTERM)
    _ = try socket.wait(for: "STOPPING")
    for _ in 0..<5 { #expect(try socket.receive(seconds: 10) == ["WATCHDOG": "1"]) }
    #expect(fount.waitForEnd() == 0)
  }

  @Test func `says nothing to a watchdog that counts another process`() throws {
    let folder = try TemporaryFolder()
    let socket = try DatagramSocket("@" + UUID().uuidString)
    let fount = try Self.start(folder, socket, watchdogMicroseconds: 100_000, environment: ["WATCHDOG_PID": "1"])
    _ = try socket.wait(for: "READY")
    #expect(try socket.receive(seconds: 0.5) == nil)
    #expect(fount.isRunning)
  }

  @Test(arguments: ["relative", "@", "/" + String(repeating: "a", count: 200), "/nowhere/at/all"])
  func `serves where the manager can't be told, and warns`(address: String) throws {
    let folder = try TemporaryFolder()
    let fount = try FountProcess(data: folder.path, environment: ["NOTIFY_SOCKET": address], log: folder.path + "/log")
    #expect(try fount.curl("/readyz").status == 200)
    let end = Date.now + 10
    var log = ""
    while !log.contains("NOTIFY_SOCKET"), Date.now < end { log = try String(contentsOfFile: folder.path + "/log", encoding: .utf8) }
    #expect(log.contains("warning") && log.contains("NOTIFY_SOCKET"))
  }
}
