/// An answer as logs and metrics tell of it, once all of it is on its way.
package struct AnsweredRequest: Sendable {
  /// Nil where the request was not understood.
  package let head: RequestHead?
  private let serial: RequestSerial
  package let remoteAddress: String
  /// The route's, so that what is counted by it has few names; nil where there was no route.
  package let pattern: String?
  package let status: Int
  package let bodyBytes: Int
  /// From the first byte of the head to the last of the answer that was handed to the system.
  package let seconds: Double
  /// The client went away, or was too slow, before the end.
  package let isCutOff: Bool

  init(
    head: RequestHead?, serial: RequestSerial, remoteAddress: String, pattern: String?, status: Int, bodyBytes: Int, seconds: Double,
    isCutOff: Bool
  ) {
    (self.head, self.serial, self.remoteAddress, self.pattern) = (head, serial, remoteAddress, pattern)
    (self.status, self.bodyBytes, self.seconds, self.isCutOff) = (status, bodyBytes, seconds, isCutOff)
  }

  package var requestID: String { serial.text }
}
