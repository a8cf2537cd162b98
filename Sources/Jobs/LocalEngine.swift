import Dispatch
import Files

/// Runs workers as children of this process: `EXECUTABLE worker FOLDER --attempt N OPTIONS`, niced, their output and errors in
/// `worker.log`.
package struct LocalEngine: Engine {
  /// Training yields to the server and to samplers. Chosen; nothing depends on it.
  private static let niceness: Int32 = 10

  private let executable: String
  private let arguments: [String]
  private let options: [String]

  /// - Parameters:
  ///   - arguments: come before `worker`.
  ///   - options: come last.
  package init(executable: String, arguments: [String] = [], options: [String] = []) {
    self.executable = executable
    self.arguments = arguments
    self.options = options
  }

  package func start(
    _ attempt: Attempt, queue: DispatchQueue, onExit: @escaping @Sendable (Termination) -> Void
  ) throws -> RunningWorker {
    let log = JobFolder(attempt.folder).log
    let launch = ChildLaunch(
      executable: executable, arguments: arguments + ["worker", attempt.folder, "--attempt", String(attempt.number)] + options,
      output: .file(log), errors: .file(log), niceness: LocalEngine.niceness)
    let child = try ChildProcess(launch, queue: queue) { onExit($0.status) }
    return RunningWorker(terminate: { child.terminate() }, kill: { child.kill() })
  }
}
