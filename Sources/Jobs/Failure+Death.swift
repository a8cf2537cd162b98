import CSystem

extension AttemptEnding {
  /// How an attempt ended whose worker went by itself and left no result.
  ///
  /// - Parameters:
  ///   - lastWords: the end of what it wrote to its log.
  ///   - memoryRanOut: the kernel has killed something for want of memory while it ran.
  init(deathBy status: Termination, lastWords: String, memoryRanOut: Bool) {
    let words = lastWords.isEmpty ? "" : "\nIt last wrote:\n\(lastWords)"
    // Trying again would want the same memory again, so that running out of it is no death to recover from.
    switch DeathCause(of: status, words: lastWords, memoryRanOut: memoryRanOut) {
    case .memoryKill: self = .outOfMemory("The kernel killed the worker when memory ran out.\(words)")
    case .memoryLimit: self = .outOfMemory("The worker could get no more memory and ended with \(status).\(words)")
    case .killed: self = .died("worker_killed", "The worker was killed from outside by \(status).\(words)")
    case .processorTime:
      // Going on from a checkpoint would grant the same time again and again.
      let detail = "The worker used up the processor time that a job may have and was ended by \(status).\(words)"
      self = .failed(Failure(reason: "processor_time_exceeded", detail: detail), metrics: nil)
    case .crash: self = .died(ofCrash: status, words)
    }
  }

  private static func outOfMemory(_ detail: String) -> AttemptEnding {
    .failed(Failure(reason: "out_of_memory", detail: detail), metrics: nil)
  }

  private static func died(_ reason: String, _ detail: String) -> AttemptEnding { .died(Failure(reason: reason, detail: detail)) }

  private static func died(ofCrash status: Termination, _ words: String) -> AttemptEnding {
    switch status {
    case .exited(code: 0): .died("worker_stopped", "The worker stopped without a result, and nobody had asked it to.\(words)")
    case .exited: .died("worker_exited", "The worker ended with \(status) and no result.\(words)")
    case .signalled: .died("worker_crashed", "The worker crashed by \(status).\(words)")
    }
  }
}
