import CSystem
import Dispatch
import Files
import Foundation
import Synchronization

/// A supervised child: a worker, a decoder or a sampler.
///
/// It runs in a process group of its own and inherits nothing but what it is given (`closefrom`). Its standard input is a lifeline: a
/// pipe whose other end only this process holds, so that the child reads EOF when the server is gone, however it went. A pidfd on
/// the owner's queue tells its end; what it has left running in its group is killed with it, and it is reaped there, so that its
/// number can't be reused while `kill` may still use it.
///
/// A class for the process's identity. Any thread may call it: the mutex holds what `terminate` and `kill` need.
package final class ChildProcess: Sendable {
  package let pid: pid_t
  /// Our end of the socket pair that the child has as descriptor 3; -1 without one. It is the owner's: to read, to write, to close.
  package let channel: Int32

  private let state: Mutex<State>
  private let queue: DispatchQueue

  private struct State {
    /// The process has not been reaped, so that its number is its own.
    var isAlive = true
    /// Our end of its standard input; nil once closed.
    var lifeline: Int32?
    var deadlinePassed = false
  }

  /// Starts the child.
  ///
  /// - Parameters:
  ///   - queue: serial; the descriptors of the child are watched on it.
  ///   - onExit: called on the queue, once.
  package init(
    _ launch: ChildLaunch, queue: DispatchQueue, onExit: @escaping @Sendable (ChildExit) -> Void
  ) throws(Errno) {
    let spawned = try launch.spawn()
    pid = spawned.pid
    channel = spawned.channel
    state = Mutex(State(lifeline: spawned.lifeline))
    self.queue = queue
    let output = spawned.output.map { CapturedOutput($0, bytesMax: launch.output.bytesMax, queue: queue) }
    let errors = spawned.errors.map { CapturedOutput($0, bytesMax: launch.errors.bytesMax, queue: queue) }
    watch(spawned, output: output, errors: errors, onExit: onExit)
    if let seconds = launch.deadlineSeconds {
      queue.asyncAfter(deadline: .now() + seconds) { [weak self] in self?.passDeadline() }
    }
  }

  /// SIGTERM to the child and its group.
  package func terminate() { signal(SIGTERM) }

  /// SIGKILL to the child and its group.
  package func kill() { signal(SIGKILL) }

  /// Closes our end of the child's standard input: it reads EOF, as it would if this process died.
  package func cutLifeline() {
    state.withLock { state in
      if let lifeline = state.lifeline { close(lifeline) }
      state.lifeline = nil
    }
  }

  private func signal(_ number: Int32) {
    state.withLock { state in
      guard state.isAlive else { return }
      // The group may be gone while its leader is a zombie; either way there is nobody left to tell.
      _ = CSystem.kill(-pid, number)
    }
  }

  private func passDeadline() {
    state.withLock { state in
      guard state.isAlive else { return }
      state.deadlinePassed = true
      _ = CSystem.kill(-pid, SIGKILL)
    }
  }

  /// The source holds this object, and is let go once the child has ended.
  private func watch(
    _ spawned: SpawnedChild, output: CapturedOutput?, errors: CapturedOutput?, onExit: @escaping @Sendable (ChildExit) -> Void
  ) {
    let source = DispatchSource.makeReadSource(fileDescriptor: spawned.pidfd, queue: queue)
    source.setEventHandler {
      // The child is a zombie now and still holds its number, which is its group's too.
      let (status, deadlinePassed) = self.reap()
      self.cutLifeline()
      source.cancel()
      onExit(
        ChildExit(
          status: status, deadlinePassed: deadlinePassed, output: output?.finish() ?? CapturedBytes(),
          errors: errors?.finish() ?? CapturedBytes()))
    }
    source.setCancelHandler { close(spawned.pidfd) }
    source.activate()
  }

  private func reap() -> (Termination, deadlinePassed: Bool) {
    state.withLock { state in
      _ = CSystem.kill(-pid, SIGKILL)
      state.isAlive = false
      return (Termination(reaping: pid), state.deadlinePassed)
    }
  }
}

/// How a child ended, and what it had said where that was captured.
package struct ChildExit: Sendable, Hashable {
  package var status: Termination
  /// It was killed because its time was up.
  package var deadlinePassed: Bool
  package var output: CapturedBytes
  package var errors: CapturedBytes
}

/// The beginning of what a child wrote, up to a limit.
package struct CapturedBytes: Sendable, Hashable {
  package var bytes: [UInt8] = []
  /// There was more.
  package var isCut = false

  package var text: String { String(decoding: bytes, as: UTF8.self) }
}
