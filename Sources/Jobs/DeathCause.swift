import CSystem
import Foundation

/// What a child died of that left no word of its own, as far as can be told from outside.
package enum DeathCause: Sendable, Hashable {
  /// It could get no more memory, by its own limit or the machine's, and gave up.
  case memoryLimit
  /// The kernel killed it when the machine's memory ran out.
  case memoryKill
  /// Somebody killed it: an operator, a scheduler, a shutdown.
  case killed
  /// It used up the processor time that it was allowed.
  case processorTime
  /// A bug, or an input that found one.
  case crash

  /// - Parameters:
  ///   - words: the end of what it wrote to its errors.
  ///   - memoryRanOut: the kernel has killed something for want of memory while it ran.
  package init(of status: Termination, words: String, memoryRanOut: Bool) {
    switch status {
    case .signalled(SIGKILL) where memoryRanOut: self = .memoryKill
    case _ where !status.isSuccess && DeathCause.tellsOfMemory(words): self = .memoryLimit
    case .signalled(SIGKILL), .signalled(SIGTERM), .signalled(SIGINT), .signalled(SIGHUP): self = .killed
    case .signalled(SIGXCPU): self = .processorTime
    case .signalled, .exited: self = .crash
    }
  }

  /// What the Swift runtime, glibc and the C++ runtime write when an allocation fails.
  private static func tellsOfMemory(_ words: String) -> Bool {
    ["failed to allocate", "Could not allocate memory", "Cannot allocate memory", "std::bad_alloc"].contains { words.contains($0) }
  }
}
