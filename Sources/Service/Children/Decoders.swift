import Datasets
import Dispatch
import Files
import Foundation
import JSON
import Jobs
import Logging

/// Decodes uploads in child processes, a few at a time: whatever an upload does to its decoder, the service goes on.
///
/// A class because it owns a queue; `running` and `waiting` are touched on it alone, which makes `@unchecked Sendable` true.
final class Decoders: @unchecked Sendable {
  typealias Completion = @Sendable (Result<DatasetDescription, any Error>) -> Void

  private struct Work {
    let upload: String
    let folder: String
    let format: String?
    let completion: Completion
  }

  private let executable: String
  private let configuration: ServiceConfiguration
  private let logger: Logger
  private let queue = DispatchQueue(label: "fount.decoders")
  private var waiting: [Work] = []
  private var running = 0

  /// Uploads that may wait for a decoder; chosen: each holds a connection and a file already.
  private static let waitingMax = 64

  init(executable: String, configuration: ServiceConfiguration, logger: Logger) {
    self.executable = executable
    self.configuration = configuration
    self.logger = logger
  }

  /// Decodes the file `upload` into `folder`, which is made.
  /// - Parameter format: what the upload must be; nil lets its content tell.
  func decode(_ upload: String, into folder: String, format: String?, completion: @escaping Completion) {
    queue.async {
      guard self.waiting.count < Self.waitingMax else {
        return completion(.failure(Problem(.serviceUnavailable, "too many uploads wait to be decoded", headers: [.retryAfter: "5"])))
      }
      self.waiting.append(Work(upload: upload, folder: folder, format: format, completion: completion))
      self.startNext()
    }
  }

  private func startNext() {
    while running < configuration.decoders, !waiting.isEmpty {
      let work = waiting.removeFirst()
      do {
        try start(work)
        running += 1
      } catch {
        work.completion(.failure(error))
      }
    }
  }

  private func start(_ work: Work) throws {
    try Disk.createFolders(work.folder)
    let launch = ChildLaunch(
      executable: executable,
      arguments: DecodeCommand.arguments(
        upload: work.upload, folder: work.folder, format: work.format,
        limits: DecodeLimits(
          memoryBytes: configuration.decoderMemoryBytesMax, cpuSeconds: configuration.decoderSecondsMax,
          outputBytes: configuration.datasetsBytesMax, examples: configuration.datasetExamplesMax)),
      output: .captured(bytesMax: 64 << 10), errors: .captured(bytesMax: 16 << 10),
      deadlineSeconds: Double(configuration.decoderSecondsMax))
    _ = try ChildProcess(launch, queue: queue) { exit in
      self.running -= 1
      work.completion(Result { try self.description(of: work, exit) })
      self.startNext()
    }
  }

  private func description(of work: Work, _ exit: ChildExit) throws -> DatasetDescription {
    if exit.status.isSuccess {
      let path = work.folder + "/" + DatasetFolder.descriptionName
      let json = try JSONValue(parsing: try Disk.read(path, bytesMax: 1 << 20))
      guard let description = DatasetDescription(json: json) else { throw Problem(.internalServerError, "the decoder's \(path) is damaged") }
      return description
    }
    if let refusal = try? JSONValue(parsing: exit.output.bytes), let detail = refusal["detail"]?.string {  // Not JSON: not a refusal.
      let place = refusal["offset"]?.integer.map { " (at byte \($0))" } ?? ""
      throw Problem.unprocessable([Fault(pointer: "", detail: detail + place)])
    }
    logger.warning("a decoder died", metadata: ["status": "\(exit.status)", "errors": "\(exit.errors.text)"])
    let reason =
      exit.deadlinePassed || exit.status == .signalled(SIGXCPU)
      ? "decoding it takes longer than \(configuration.decoderSecondsMax) s" : "the decoder died of it (\(exit.status))"
    throw Problem.unprocessable([Fault(pointer: "", detail: reason)])
  }
}
