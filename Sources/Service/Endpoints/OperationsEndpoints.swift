import HTTP
import HTTPTypes
import JSON
import Tensors

/// Liveness, readiness and version: what an operator's tools ask.
extension FountService {
  func live(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    return .json(["status": "alive"])
  }

  func ready(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    if !isStarted { throw Problem(.serviceUnavailable, "the server is starting", headers: [.retryAfter: "1"]) }
    if isDraining { throw Problem(.serviceUnavailable, "the server is leaving", headers: [.retryAfter: "10"]) }
    return .json(["status": "ready"])
  }

  func version(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    return .json(["name": "fount", "version": .string(Self.version), "kernel_set": .string(Kernels.set)])
  }

  /// Semantic version of the program; part of every sample's ETag, as kernels may change with it.
  package static let version = "0.1.0"
}
