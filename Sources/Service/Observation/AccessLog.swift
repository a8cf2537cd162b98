import Foundation
import HTTP
import HTTPTypes
import Logging

/// A line for every answer. It tells no secret: neither a key, but its id, nor a query, nor any field but the client's own name.
struct AccessLog: Sendable {
  let logger: Logger

  private static let userAgentBytesMax = 200

  /// Nil where none is kept.
  init?(_ configuration: ServiceConfiguration) {
    let file: FileHandle
    switch configuration.accessLog {
    case "stdout": file = .standardOutput
    case "stderr": file = .standardError
    default: return nil
    }
    let writer = LineWriter(file)
    logger = Logger(label: "access") { JSONLineLog(label: $0, to: writer) }
  }

  func tell(_ answered: AnsweredRequest) {
    var told: Logger.Metadata = [
      "request_id": "\(answered.requestID)", "remote": "\(answered.remoteAddress)", "status": .stringConvertible(answered.status),
      "bytes": .stringConvertible(answered.bodyBytes), "seconds": .stringConvertible(answered.seconds),
    ]
    if let head = answered.head {
      told["method"] = "\(head.method.rawValue)"
      told["path"] = "\(head.path)"
      if !head.principal.isEmpty { told["key"] = "\(head.principal)" }
      if let agent = head.fields[.userAgent] { told["user_agent"] = "\(agent.prefix(Self.userAgentBytesMax))" }
    }
    if let route = answered.pattern { told["route"] = "\(route)" }
    if answered.isCutOff { told["cut_off"] = "true" }
    logger.info("answered", metadata: told)
  }
}
