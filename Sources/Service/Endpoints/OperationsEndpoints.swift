import HTTP
import HTTPTypes
import JSON
import Tensors

/// Liveness, readiness and version: what an operator's tools ask.
extension FountService {
  func live(_ request: Request) -> Response { .json(["status": "alive"]) }

  func ready(_ request: Request) -> Response {
    guard !isDraining else {
      return Problem(.serviceUnavailable, "the server is leaving", headers: [.retryAfter: "10"])
        .response(instance: request.path, requestID: request.id)
    }
    return .json(["status": "ready"])
  }

  func version(_ request: Request) -> Response {
    .json(["name": "fount", "version": .string(Self.version), "kernel_set": .string(Kernels.set)])
  }

  /// Semantic version of the program; part of every sample's ETag, as kernels may change with it.
  package static let version = "0.1.0"
}
