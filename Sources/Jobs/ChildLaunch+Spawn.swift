// The calls that make a process and let it go. With `CapturedOutput.swift` the only file of this module where raw pointers live; none
// outlives the call that it was lent to.
import CSystem
import Files
import Foundation

/// What `spawn` has made: a process that runs, and our ends of what ties us to it.
struct SpawnedChild {
  var pid: pid_t
  var pidfd: Int32
  var lifeline: Int32
  var channel: Int32 = -1
  /// Our end of its standard output and errors where they are captured.
  var output: Int32?
  var errors: Int32?
}

extension ChildLaunch {
  /// Every descriptor made here lies above those that the child gets, so that placing one never overwrites another.
  private static let lowestDescriptor: Int32 = 10

  /// posix_spawn, pidfd_open. Throws with nothing left open.
  func spawn() throws(Errno) -> SpawnedChild {
    var ours: [Int32] = []
    var theirs: [Int32] = []
    defer { for descriptor in theirs { close(descriptor) } }
    do throws(Errno) {
      let spawned = try spawn(&ours, &theirs)
      return spawned
    } catch {
      for descriptor in ours { close(descriptor) }
      throw error
    }
  }

  private func spawn(_ ours: inout [Int32], _ theirs: inout [Int32]) throws(Errno) -> SpawnedChild {
    var actions = SpawnActions()
    let lifeline = try pipe(&ours, &theirs, theirsReads: true)
    actions.place(lifeline.theirs, at: 0)
    let output = try route(self.output, to: 1, &actions, &ours, &theirs)
    let errors = try route(self.errors, to: 2, &actions, &ours, &theirs)
    var channel: Int32 = -1
    if hasChannel {
      let pair = try socketPair(&ours, &theirs)
      actions.place(pair.theirs, at: 3)
      channel = pair.ours
    }
    actions.closeAll(from: hasChannel ? 4 : 3)
    let pid = try actions.run(executable, arguments: [executable] + arguments, environment: environment)
    let pidfd = fount_pidfd_open(pid)
    guard pidfd >= 0 else {
      let code = errno
      // A child that can't be watched must not run. It is not reaped yet, so that its number is its own.
      kill(-pid, SIGKILL)
      _ = Termination(reaping: pid)
      throw Errno(code: code, operation: "pidfd_open", path: executable)
    }
    if niceness != 0 {
      // Politeness alone: a child that stays as urgent as the server is no reason to end it.
      _ = fount_set_group_niceness(pid, fount_niceness() + niceness)
    }
    return SpawnedChild(pid: pid, pidfd: pidfd, lifeline: lifeline.ours, channel: channel, output: output, errors: errors)
  }

  /// - Returns: our end where the stream is captured.
  private func route(
    _ stream: Stream, to descriptor: Int32, _ actions: inout SpawnActions, _ ours: inout [Int32], _ theirs: inout [Int32]
  ) throws(Errno) -> Int32? {
    switch stream {
    case .inherited: return nil
    case .discarded:
      actions.open("/dev/null", at: descriptor, flags: O_WRONLY)
      return nil
    case .file(let path):
      actions.open(path, at: descriptor, flags: O_WRONLY | O_CREAT | O_APPEND)
      return nil
    case .captured:
      let ends = try pipe(&ours, &theirs, theirsReads: false)
      actions.place(ends.theirs, at: descriptor)
      let flags = fcntl(ends.ours, F_GETFL)
      guard fcntl(ends.ours, F_SETFL, flags | O_NONBLOCK) == 0 else { throw failure("fcntl") }
      return ends.ours
    }
  }

  private func pipe(
    _ ours: inout [Int32], _ theirs: inout [Int32], theirsReads: Bool
  ) throws(Errno) -> (ours: Int32, theirs: Int32) {
    var ends: [Int32] = [-1, -1]
    guard unsafe ends.withUnsafeMutableBufferPointer({ unsafe pipe2($0.baseAddress, O_CLOEXEC) }) == 0 else { throw failure("pipe2") }
    return try raise(ours: ends[theirsReads ? 1 : 0], theirs: ends[theirsReads ? 0 : 1], &ours, &theirs)
  }

  private func socketPair(_ ours: inout [Int32], _ theirs: inout [Int32]) throws(Errno) -> (ours: Int32, theirs: Int32) {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard unsafe ends.withUnsafeMutableBufferPointer({ unsafe socketpair(AF_UNIX, type, 0, $0.baseAddress) }) == 0 else {
      throw failure("socketpair")
    }
    return try raise(ours: ends[0], theirs: ends[1], &ours, &theirs)
  }

  /// Moves two descriptors above those that the child gets.
  private func raise(
    ours our: Int32, theirs their: Int32, _ ours: inout [Int32], _ theirs: inout [Int32]
  ) throws(Errno) -> (ours: Int32, theirs: Int32) {
    defer {
      close(our)
      close(their)
    }
    let raisedOurs = fcntl(our, F_DUPFD_CLOEXEC, ChildLaunch.lowestDescriptor)
    guard raisedOurs >= 0 else { throw failure("fcntl") }
    ours.append(raisedOurs)
    let raisedTheirs = fcntl(their, F_DUPFD_CLOEXEC, ChildLaunch.lowestDescriptor)
    guard raisedTheirs >= 0 else { throw failure("fcntl") }
    theirs.append(raisedTheirs)
    return (raisedOurs, raisedTheirs)
  }

  private func failure(_ operation: String) -> Errno { Errno(code: errno, operation: operation, path: executable) }
}

/// posix_spawn's two lists: what becomes of descriptors, and the child's group and signals.
@safe private struct SpawnActions: ~Copyable {
  private var files = unsafe posix_spawn_file_actions_t()
  private var attributes = posix_spawnattr_t()

  /// These fail for want of memory alone, and then `run` fails too.
  init() {
    unsafe posix_spawn_file_actions_init(&files)
    unsafe posix_spawnattr_init(&attributes)
    var none = sigset_t()
    var all = sigset_t()
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    // The server ignores SIGPIPE and its threads block signals; the child starts as a shell would start it.
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
  }

  deinit {
    var (files, attributes) = unsafe (files, attributes)
    unsafe posix_spawn_file_actions_destroy(&files)
    unsafe posix_spawnattr_destroy(&attributes)
  }

  mutating func place(_ descriptor: Int32, at place: Int32) { unsafe posix_spawn_file_actions_adddup2(&files, descriptor, place) }

  mutating func open(_ path: String, at place: Int32, flags: Int32) {
    unsafe posix_spawn_file_actions_addopen(&files, place, path, flags, 0o644)
  }

  mutating func closeAll(from lowest: Int32) { unsafe posix_spawn_file_actions_addclosefrom_np(&files, lowest) }

  mutating func run(_ executable: String, arguments: [String], environment: [String]?) throws(Errno) -> pid_t {
    let environment = environment ?? ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
    let argv = unsafe arguments.map { unsafe strdup($0) } + [nil]
    let envp = unsafe environment.map { unsafe strdup($0) } + [nil]
    defer {
      unsafe (argv + envp).forEach { unsafe free($0) }
    }
    var pid: pid_t = 0
    let code = unsafe posix_spawn(&pid, executable, &files, &attributes, argv, envp)
    guard code == 0 else { throw Errno(code: code, operation: "posix_spawn", path: executable) }
    return pid
  }
}

extension Termination {
  /// Waits for a child of ours that has ended, and lets its number go. (waitpid)
  init(reaping pid: pid_t) {
    var status: Int32 = 0
    while unsafe waitpid(pid, &status, 0) < 0 {
      if errno == EINTR { continue }
      // Somebody else has reaped it: how it ended can't be known any more, and no exit code is negative.
      self = .exited(code: -1)
      return
    }
    // WIFEXITED, WEXITSTATUS and WTERMSIG of <sys/wait.h> are macros that Swift does not import.
    let signal = status & 0x7f
    self = signal == 0 ? .exited(code: (status >> 8) & 0xff) : .signalled(signal)
  }
}
