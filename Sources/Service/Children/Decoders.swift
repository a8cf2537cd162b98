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
  typealias Completion = @Sendable (Result<DecodedUpload, any Error>) -> Void

  private struct Work {
    let upload: String
    let decoded: DecodedUpload
    let options: DecodeOptions
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

  /// Decodes the file `upload` into `folder`, which is made, and goes with the last reference to what the completion is given.
  func decode(_ upload: String, into folder: String, _ options: DecodeOptions, completion: @escaping Completion) {
    queue.async {
      guard self.waiting.count < Self.waitingMax else {
        return completion(.failure(Problem(.serviceUnavailable, "too many uploads wait to be decoded", headers: [.retryAfter: "5"])))
      }
      let decoded = DecodedUpload(folder: folder, logger: self.logger)
      self.waiting.append(Work(upload: upload, decoded: decoded, options: options, completion: completion))
      self.startNext()
    }
  }

  /// How many uploads wait.
  var depth: Int { queue.sync { waiting.count } }

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
    try Disk.createFolders(work.decoded.folder)
    let launch = ChildLaunch(
      executable: executable,
      arguments: [
        "decode", work.upload, work.decoded.folder, "--memory-bytes", String(configuration.decoderMemoryBytesMax),
        "--processor-seconds", String(configuration.decoderSecondsMax), "--file-bytes", String(configuration.datasetsBytesMax),
      ] + work.options.arguments,
      output: .captured(bytesMax: 64 << 10), errors: .captured(bytesMax: 16 << 10),
      deadlineSeconds: Double(configuration.decoderSecondsMax))
    let killsBefore = OutOfMemoryKills.count()
    _ = try ChildProcess(launch, queue: queue) { exit in
      self.running -= 1
      work.completion(
        Result {
          try self.refuse(exit, memoryRanOut: OutOfMemoryKills.happened(since: killsBefore))
          try self.check(try work.decoded.description())
          return work.decoded
        })
      self.startNext()
    }
  }

  /// Throws what a decoder that did not succeed has said, or died of.
  private func refuse(_ exit: ChildExit, memoryRanOut: Bool) throws {
    if exit.status.isSuccess { return }
    if let refusal = try? JSONValue(parsing: exit.output.bytes), let detail = refusal["detail"]?.string {  // Not JSON: not a refusal.
      if exit.status == .exited(code: DecodeCommand.ExitStatus.badDisk) { throw DecoderFailed(reason: detail) }
      throw Problem.unprocessable([Fault(pointer: "", detail: detail)])
    }
    logger.warning("a decoder died", metadata: ["status": "\(exit.status)", "errors": "\(exit.errors.text)"])
    let tooLong = "decoding it takes longer than \(configuration.decoderSecondsMax) s"
    if exit.deadlinePassed { throw Problem.unprocessable([Fault(pointer: "", detail: tooLong)]) }
    let reason: String
    switch DeathCause(of: exit.status, words: exit.errors.text, memoryRanOut: memoryRanOut) {
    // Nothing was learnt about the upload.
    case .killed:
      throw Problem(.serviceUnavailable, "the decoder was killed from outside; send the upload again", headers: [.retryAfter: "5"])
    case .memoryKill:
      throw Problem(
        .serviceUnavailable, "the machine's memory ran out while the upload was decoded; send it again later", headers: [.retryAfter: "60"])
    case .memoryLimit: reason = "decoding it takes more memory than the \(configuration.decoderMemoryBytesMax) bytes that are allowed"
    case .processorTime: reason = tooLong
    case .crash: reason = "the decoder died of it (\(exit.status))"
    }
    throw Problem.unprocessable([Fault(pointer: "", detail: reason)])
  }

  /// What the configuration allows.
  private func check(_ description: DatasetDescription) throws(Problem) {
    var faults: [Fault] = []
    func allow(_ value: Int, upTo most: Int, _ what: String) {
      if value > most { faults.append(Fault(pointer: "", detail: "at most \(most) \(what) are allowed; the upload has \(value)")) }
    }
    allow(description.count, upTo: configuration.datasetExamplesMax, "examples")
    if case .image(let height, let width, _) = description.shape {
      allow(height * width, upTo: configuration.imagePixelsMax, "pixels in an image")
    }
    if !faults.isEmpty { throw .unprocessable(faults) }
  }
}

/// A decoder failed, and the upload was not the reason.
struct DecoderFailed: Error, CustomStringConvertible {
  let reason: String
  var description: String { "the decoder failed: \(reason)" }
}
