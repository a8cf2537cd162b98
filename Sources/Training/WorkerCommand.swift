/// `fount worker FOLDER --attempt N`: one attempt at one job, in a process of its own.
package enum WorkerCommand {
  /// Runs until the job ends or the worker is told to stop, by SIGTERM or the end of its standard input.
  ///
  /// - Parameters:
  ///   - folder: the job's folder with its `job.json`.
  ///   - attempt: written into every line and result, so that those of an earlier attempt are told apart.
  /// - Returns: the process's exit status: 0 when there is a result or a checkpoint to go on from.
  package static func run(folder: String, attempt: Int) -> Int32 {
    74
  }
}
