import HTTPTypes

/// The head of an answer as it goes over the wire. Framing is the server's: what a handler says of it is left out.
struct ResponseHead {
  let response: Response
  let serial: RequestSerial
  let date: String
  /// What `Connection` says, where it says anything.
  let connection: Connection
  /// Whether a body of unknown length may be chunked: HTTP/1.0 knows only the connection's end (RFC 9112 §6.3).
  let allowsChunks: Bool

  enum Connection: String {
    case unspoken = ""
    case close = "connection: close\r\n"
    case keepAlive = "connection: keep-alive\r\n"
  }

  /// RFC 9110 §6.4.1: 204 and 304 have no body, so that no length is told either (§8.6).
  static func hasBody(_ status: HTTPResponse.Status) -> Bool { status.code >= 200 && status.code != 204 && status.code != 304 }

  func write(into bytes: inout [UInt8]) {
    let status = response.status
    if status == .ok {
      bytes += "HTTP/1.1 200 OK\r\ndate: ".utf8
    } else {
      bytes += "HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\ndate: ".utf8
    }
    bytes += date.utf8
    bytes += "\r\n".utf8
    if Self.hasBody(status) {
      if let count = response.body.count {
        bytes += "content-length: ".utf8
        bytes.append(decimal: count)
        bytes += "\r\n".utf8
      } else if allowsChunks {
        bytes += "transfer-encoding: chunked\r\n".utf8
      }
    }
    bytes += connection.rawValue.utf8
    for field in response.headers where !Self.isFraming(field.name) {
      bytes += field.name.rawName.utf8
      bytes += ": ".utf8
      bytes += field.value.utf8
      bytes += "\r\n".utf8
    }
    bytes += "x-request-id: ".utf8
    serial.write(into: &bytes)
    bytes += "\r\n\r\n".utf8
  }

  private static func isFraming(_ name: HTTPField.Name) -> Bool {
    name == .contentLength || name == .transferEncoding || name == .connection || name == .date
  }
}

extension [UInt8] {
  /// Appends a number that isn't negative, digit by digit: a string of it would be one more to make.
  fileprivate mutating func append(decimal number: Int) {
    let start = count
    var rest = number
    repeat {
      append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    self[start...].reverse()
  }
}
