import Foundation
import HTTPTypes

/// A client of HTTP/1.1 for a program that waits: one connection a request, bodies from files never held in memory.
package struct HTTPClient: Sendable {
  package let address: ServerAddress
  /// A file of certificates (PEM) to trust in place of the system's.
  package let authorities: String?
  /// The longest that a server may say nothing. Chosen: longer than a server takes for any answer by its default.
  private var silenceSecondsMax = 330

  package init(_ address: ServerAddress, authorities: String? = nil) {
    self.address = address
    self.authorities = authorities
    ignoreBrokenPipes()
  }

  /// The same with another bound on the server's silence.
  package func silent(secondsMax seconds: Int) -> HTTPClient {
    var client = self
    client.silenceSecondsMax = seconds
    return client
  }

  /// What a request carries.
  package enum Body: Sendable {
    case none
    case bytes([UInt8])
    case file(path: String)
  }

  /// Sends a request and reads the answer's head; the rest is read from the answer.
  /// - Parameters:
  ///   - target: path and query, percent-encoded.
  ///   - onSent: told how many bytes of a file have gone out.
  package func send(
    _ method: HTTPRequest.Method, _ target: String, headers: HTTPFields = [:], body: Body = .none, onSent: (Int) -> Void = { _ in }
  ) throws(ClientError) -> ClientAnswer {
    let outgoing = try OutgoingBody(body)
    let transport = try connect()
    var head = "\(method.rawValue) \(address.prefix)\(target) HTTP/1.1\r\nHost: \(address.authority)\r\nConnection: close\r\n"
    for field in headers { head += "\(field.name.rawName): \(field.value)\r\n" }
    if let count = outgoing.count { head += "Content-Length: \(count)\r\n" }
    // RFC 9110 §10.1.1: of a long body it is worth asking first whether it is wanted.
    let asksFirst = (outgoing.count ?? 0) > Self.askedBytesMin
    if asksFirst { head += "Expect: 100-continue\r\n" }
    try transport.send(Array((head + "\r\n").utf8)[...])
    var reader = AnswerReader(transport)
    if asksFirst, transport.hasInput(withinMilliseconds: Self.agreementMilliseconds) {
      let answer = try reader.readHead(of: method)
      if answer.status != 100 { return ClientAnswer(answer, reader) }
    }
    do throws(ClientError) {
      try outgoing.send(to: transport, onSent)
    } catch {
      // A server that refuses a body says so, and closes.
      guard case .broken = error, transport.hasInput(withinMilliseconds: 0) else { throw error }
    }
    while true {
      let answer = try reader.readHead(of: method)
      if answer.status >= 200 { return ClientAnswer(answer, reader) }
    }
  }

  /// Chosen: below it a body is sent before an answer could come.
  private static let askedBytesMin = 256 << 10
  /// How long a server's word is waited for; one that does not know the question says none.
  private static let agreementMilliseconds: Int32 = 3000

  private func connect() throws(ClientError) -> any ClientTransport {
    let socket = try ClientSocket(to: address, silenceSecondsMax: silenceSecondsMax)
    return address.isSecure ? try TLSClient(over: socket, to: address, trusting: authorities) : socket
  }
}

/// A body on its way.
private struct OutgoingBody {
  private let bytes: [UInt8]
  private let file: FileHandle?
  /// Nil where there is no body.
  let count: Int?

  init(_ body: HTTPClient.Body) throws(ClientError) {
    switch body {
    case .none: (bytes, file, count) = ([], nil, nil)
    case .bytes(let given): (bytes, file, count) = (given, nil, given.count)
    case .file(let path):
      do {
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        (bytes, file, count) = ([], handle, Int(try handle.seekToEnd()))
        try handle.seek(toOffset: 0)
      } catch {
        throw .file("\(path) can't be read: \(Self.reason(of: error))")
      }
    }
  }

  private static func reason(of error: any Error) -> String {
    // Foundation wraps what the system said: the innermost text is the telling one.
    let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    return underlying?.localizedFailureReason ?? error.localizedDescription
  }

  private static let pieceBytes = 256 << 10

  func send(to transport: any ClientTransport, _ onSent: (Int) -> Void) throws(ClientError) {
    guard let file, let count else { return try transport.send(bytes[...]) }
    var sent = 0
    while sent < count {
      let piece: Data
      do { piece = try file.read(upToCount: min(Self.pieceBytes, count - sent)) ?? Data() } catch {
        throw .file("the file can't be read on: \(Self.reason(of: error))")
      }
      guard !piece.isEmpty else { throw .file("the file became shorter while it was sent") }
      try transport.send(Array(piece)[...])
      sent += piece.count
      onSent(sent)
    }
  }
}
