import CSystem
import Foundation

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
