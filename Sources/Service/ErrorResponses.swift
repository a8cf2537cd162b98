import Files
import HTTP
import HTTPTypes
import JSON
import Jobs
import Training

/// The one place where an error becomes an answer. What is the client's has its own status and words; what is ours is a 500 that tells
/// the request's id and nothing else, its cause being in the log.
extension Problem {
  init(_ error: any Error) {
    switch error {
    case let problem as Problem: self = problem
    case let error as JSONSyntaxError:
      self.init(.badRequest, "the body is not JSON: \(error)")
      faults = [Fault(pointer: error.pointer, detail: "line \(error.line), column \(error.column): \(error.detail)")]
    case let error as VerbRefused: self.init(.conflict, error.description)
    case let error as RecordError: self = Problem(error)
    case let error as SamplerFailure: self = Problem(error)
    case let error as CheckpointError: self = Problem(error)
    default:
      self = Self.trouble(ofDisk: error) ?? Problem(.internalServerError, Self.failed)
    }
  }

  private static let failed = "the server failed; its log has the reason under this request's id"

  /// A disk that keeps nothing now: a client may come again, and an operator has to come.
  private static func trouble(ofDisk error: any Error) -> Problem? {
    let full = Problem(.insufficientStorage, "the disk is full: nothing of this request was kept", headers: [.retryAfter: "60"])
    let refused = Problem(
      .insufficientStorage,
      "the server's disk can't be written, for it fails or is read-only: nothing of this request was kept; what is there can be read",
      headers: [.retryAfter: "60"])
    if let error = error as? Errno {
      if error.meansDiskFull { return full }
      return error.meansReadOnly || error.meansFailedWrite ? refused : nil
    }
    switch Record.trouble(error) {
    case .fullDisk: return full
    case .refusedWrite: return refused
    case .damaged: return Problem(.internalServerError, damagedRecord)
    case .other, nil: return nil
    }
  }

  private static let damagedRecord = "the server's record is damaged; its log has the reason, and `fount check` tells the rest"

  /// No checkpoint of the model is left that can be used, or not the one that was asked for.
  private init(_ error: CheckpointError) {
    if error.meansAbsent {
      self.init(.serviceUnavailable, "the model's checkpoints change quickly; ask again", headers: [.retryAfter: "1"])
    } else {
      self.init(
        .internalServerError,
        "the checkpoint is damaged, and there is no sound one to take its place (\(error.detail)); train the model again, or let the "
          + "server's operator put a copy of the file back")
    }
  }

  private init(_ error: SamplerFailure) {
    switch error.reason {
    case .refused: self = .unprocessable([Fault(pointer: "", detail: error.detail)])
    case .tooLarge: self.init(.badRequest, error.detail)
    case .unsupported: self.init(.conflict, error.detail)
    case .absent: self.init(.serviceUnavailable, "the model's checkpoints change quickly; ask again", headers: [.retryAfter: "1"])
    case .checkpoint: self.init(.internalServerError, "the model's checkpoint can't be used: \(error.detail)")
    case .badRequest, .dataset: self.init(.internalServerError, Self.failed)
    }
  }

  private init(_ error: RecordError) {
    switch error {
    case .unknownJob, .unknownDataset, .unknownModel: self.init(.notFound, error.description)
    case .inUse, .alreadyThere: self.init(.conflict, error.description)
    case .unknownCursor(let cursor): self = .badQuery([Fault(pointer: "after", detail: "\(cursor.prefix(60)) is no place in this list")])
    case .queueFull: self.init(.tooManyRequests, error.description, headers: [.retryAfter: "60"])
    case .datasetsFull: self.init(.insufficientStorage, error.description)
    case .keyReused: self.init(.unprocessableContent, error.description)
    case .settingRefused, .damagedFile, .damagedRow: self.init(.internalServerError, Self.damagedRecord)
    }
  }
}

extension FountService {
  /// The answer to what the protocol refused.
  @Sendable package static func response(to fault: HTTPFault, path: String, requestID: String) -> Response {
    Problem(fault.status, fault.detail, headers: fault.headers).response(instance: path, requestID: requestID)
  }
}
