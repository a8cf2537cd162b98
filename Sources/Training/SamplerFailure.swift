import JSON

/// Why a sampler can't do what a frame asks; the next frame may fare better.
package struct SamplerFailure: Error, Sendable, Equatable, CustomStringConvertible {
  /// One word that the server maps to a status.
  package enum Reason: String, Sendable {
    /// The frame is not one that this program understands.
    case badRequest = "bad_request"
    /// The checkpoint's file is gone: a newer one has taken its place.
    case absent
    case checkpoint
    case dataset
    /// The family, or the shape of its examples, has no answer of this kind.
    case unsupported
    case tooLarge = "too_large"
    /// A file that someone sent is no model.
    case refused
  }

  package let reason: Reason
  package let detail: String

  init(_ reason: Reason, _ detail: String) {
    self.reason = reason
    self.detail = detail
  }

  package var description: String { "sampler: \(reason.rawValue): \(detail)" }

  /// As a sampler sends it.
  var frame: SamplerFrame {
    SamplerFrame(header: ["error": ["reason": .string(reason.rawValue), "detail": .string(detail)]])
  }

  /// The failure that an answer's frame tells of; nil for an answer that is one.
  package init?(answer: SamplerFrame) {
    guard let error = answer.header["error"] else { return nil }
    self.init(error["reason"]?.string.flatMap(Reason.init) ?? .badRequest, error["detail"]?.string ?? "")
  }
}
