import Files
import HTTP
import HTTPTypes
import Jobs

/// `Idempotency-Key`: a client that lost an answer asks again, and the thing is made once.
extension KeyedRequest {
  /// RFC 9110 sets no bound; a key is a UUID or a name that a script made up.
  private static let keyBytesMax = 255

  /// Nil for a request without a key.
  ///
  /// - Parameter body: of the body's bytes. Method, path, query and body make the request that the key stands for.
  init?(_ request: Request, body: Digest) throws(Problem) {
    guard let field = request.headers[.idempotencyKey] else { return nil }
    // The IETF's draft writes a quoted string; what users send is mostly bare.
    let isQuoted = field.utf8.count >= 2 && field.hasPrefix("\"") && field.hasSuffix("\"")
    let key = isQuoted ? String(field.dropFirst().dropLast()) : field
    guard !key.isEmpty, key.utf8.count <= Self.keyBytesMax, key.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
      throw Problem(.badRequest, "Idempotency-Key must be 1 to \(Self.keyBytesMax) visible ASCII characters, such as a UUID")
    }
    let query = request.query.map { "\($0.name.utf8.count):\($0.name)=\($0.value.utf8.count):\($0.value)" }.joined(separator: "&")
    let asked = "\(request.method.rawValue) \(request.path)?\(query)\n\(body.hex)"
    self.init(owner: request.head.principal, key: key, fingerprint: SHA256.of(Array(asked.utf8)).hex)
  }
}

extension KeptAnswer {
  /// A JSON answer to something that was made.
  init(status: HTTPResponse.Status, location: String, body: [UInt8]) {
    self.init(status: status.code, location: location, body: body + [0x0A])
  }
}

extension Response {
  /// - Parameter isRepeated: the answer was given before.
  init(_ answer: KeptAnswer, isRepeated: Bool = false) {
    var headers: HTTPFields = [.contentType: "application/json"]
    headers[.location] = answer.location
    if isRepeated { headers[.idempotencyReplayed] = "true" }
    self.init(status: HTTPResponse.Status(code: answer.status), headers: headers, body: .bytes(answer.body))
  }
}

extension HTTPField.Name {
  static let idempotencyKey = constant("Idempotency-Key")
  /// Tells a repeat from a first answer; users of such interfaces know it by this name.
  static let idempotencyReplayed = constant("Idempotency-Replayed")
}
