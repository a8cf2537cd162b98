import CSystem
import Foundation

extension AttemptEnding {
  /// How an attempt ended whose worker went by itself and left no result.
  ///
  /// - Parameters:
  ///   - lastWords: the end of what it wrote to its log.
  ///   - memoryRanOut: the kernel has killed something for want of memory while it ran.
  init(deathBy status: Termination, lastWords: String, memoryRanOut: Bool) {
    let words = lastWords.isEmpty ? "" : "\nIt last wrote:\n\(lastWords)"
    // Trying again would want the same memory again, so that this is no death to recover from.
    if status == .signalled(SIGKILL), memoryRanOut {
      let detail = "The kernel killed the worker when memory ran out.\(words)"
      self = .failed(Failure(reason: Failure.outOfMemory, detail: detail), metrics: nil)
    } else if !status.isSuccess, Failure.tellsOfMemory(lastWords) {
      let detail = "The worker could get no more memory and ended with \(status).\(words)"
      self = .failed(Failure(reason: Failure.outOfMemory, detail: detail), metrics: nil)
    } else {
      self = .died(Failure(deathBy: status, words: words))
    }
  }
}

extension Failure {
  static let outOfMemory = "out_of_memory"

  /// What the Swift runtime, glibc and the C++ runtime write when an allocation fails.
  fileprivate static func tellsOfMemory(_ words: String) -> Bool {
    ["failed to allocate", "Could not allocate memory", "Cannot allocate memory", "std::bad_alloc"].contains { words.contains($0) }
  }

  fileprivate init(deathBy status: Termination, words: String) {
    switch status {
    case .exited(code: 0):
      self.init(reason: "worker_stopped", detail: "The worker stopped without a result, and nobody had asked it to.\(words)")
    case .exited:
      self.init(reason: "worker_exited", detail: "The worker ended with \(status) and no result.\(words)")
    case .signalled(SIGKILL), .signalled(SIGTERM), .signalled(SIGINT), .signalled(SIGHUP):
      self.init(reason: "worker_killed", detail: "The worker was killed from outside by \(status).\(words)")
    case .signalled(SIGXCPU):
      self.init(reason: "processor_time_exceeded", detail: "The worker used up its processor time and was ended by \(status).\(words)")
    case .signalled:
      self.init(reason: "worker_crashed", detail: "The worker crashed by \(status).\(words)")
    }
  }
}
