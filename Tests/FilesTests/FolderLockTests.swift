import Files
import Foundation
import Testing

@Suite struct FolderLockTests {
  let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  @Test func `a lock excludes another process, which sees who holds it`() async throws {
    let path = scratch.path
    let lock = try FolderLock(locking: path)
    #expect(lock != nil)
    let holder = getpid()
    await #expect(processExitsWith: .success) { [path = path as String, holder = holder as pid_t] in
      let second = try FolderLock(locking: path)
      let seen = try FolderLock.holder(of: path)
      #expect(second == nil && seen == holder)
    }
    withExtendedLifetime(lock) {}
  }

  @Test func `the same process gets a folder once, and asking does not lose it`() async throws {
    let path = scratch.path
    #expect(try FolderLock.holder(of: path) == nil)
    let lock = try FolderLock(locking: path)
    #expect(try FolderLock(locking: path) == nil)
    // Opening and closing the file here would have dropped the lock.
    #expect(try FolderLock.holder(of: path) == getpid())
    await #expect(processExitsWith: .success) { [path = path as String] in
      let second = try FolderLock(locking: path)
      #expect(second == nil)
    }
    withExtendedLifetime(lock) {}
  }

  @Test func `a lock let go of is free for another process`() async throws {
    let path = scratch.path
    do {
      let lock = try FolderLock(locking: path)
      #expect(lock != nil)
    }
    #expect(try FolderLock.holder(of: path) == nil)
    await #expect(processExitsWith: .success) { [path = path as String] in
      let second = try FolderLock(locking: path)
      #expect(second != nil)
    }
    #expect(try FolderLock(locking: path) != nil)
  }

  @Test func `a lock dies with the process that held it, however it ends`() throws {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = [
      "-c", "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print('held', flush=True); time.sleep(60)",
      "\(scratch.path)/lock",
    ]
    process.standardOutput = pipe
    try process.run()
    // It prints once it holds the lock.
    #expect(!pipe.fileHandleForReading.availableData.isEmpty)
    #expect(try FolderLock(locking: scratch.path) == nil)
    #expect(try FolderLock.holder(of: scratch.path) == process.processIdentifier)
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(try FolderLock.holder(of: scratch.path) == nil)
    #expect(try FolderLock(locking: scratch.path) != nil)
  }

  @Test func `locking a folder that is absent is an error`() {
    #expect(throws: Errno.self) { try FolderLock(locking: "\(scratch.path)/absent") }
  }
}
