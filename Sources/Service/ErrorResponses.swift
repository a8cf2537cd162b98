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
    case let error as Errno where error.meansDiskFull: self.init(.insufficientStorage, "the disk is full")
    case let error where Record.isFullDisk(error): self.init(.insufficientStorage, "the disk is full")
    default: self.init(.internalServerError, "the server failed; its log has the reason under this request's id")
    }
  }

  private init(_ error: SamplerFailure) {
    switch error.reason {
    case .refused: self = .unprocessable([Fault(pointer: "", detail: error.detail)])
    case .tooLarge: self.init(.badRequest, error.detail)
    case .unsupported: self.init(.conflict, error.detail)
    case .absent: self.init(.serviceUnavailable, "the model's checkpoints change quickly; ask again", headers: [.retryAfter: "1"])
    case .badRequest, .checkpoint, .dataset:
      self.init(.internalServerError, "the server failed; its log has the reason under this request's id")
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
    case .settingRefused, .damagedRow: self.init(.internalServerError, "the server's record is damaged; its log has the reason")
    }
  }
}

extension FountService {
  /// The answer to what the protocol refused.
  @Sendable package static func response(to fault: HTTPFault, path: String, requestID: String) -> Response {
    Problem(fault.status, fault.detail, headers: fault.headers).response(instance: path, requestID: requestID)
  }
}
