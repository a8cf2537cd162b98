import Foundation
import Jobs
import Testing

struct DeathCauseTests {
  @Test(arguments: [
    (Termination.signalled(SIGKILL), "", true, DeathCause.memoryKill), (.signalled(SIGKILL), "", false, .killed),
    (.signalled(SIGABRT), "Fatal error: failed to allocate 8 bytes of memory", false, .memoryLimit),
    (.exited(code: 1), "std::bad_alloc", false, .memoryLimit), (.exited(code: 0), "Cannot allocate memory", false, .crash),
    (.signalled(SIGTERM), "", true, .killed), (.signalled(SIGXCPU), "", false, .processorTime), (.signalled(SIGSEGV), "", false, .crash),
    (.signalled(SIGSEGV), "", true, .crash), (.exited(code: 3), "no such file", false, .crash),
  ])
  func `a death is told as what it was, as far as it shows`(
    status: Termination, words: String, memoryRanOut: Bool, cause: DeathCause
  ) {
    #expect(DeathCause(of: status, words: words, memoryRanOut: memoryRanOut) == cause)
  }
}
