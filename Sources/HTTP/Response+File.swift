import HTTPTypes

extension Response {
  /// A file, or the parts of it that are asked for (RFC 9110 §14), 304 where the client has it, 412 where it is not what the client thinks.
  /// - Parameter headers: with `ETag`, `Last-Modified` or both, as far as they are known.
  package static func file(_ file: ServedFile, headers: HTTPFields, to request: Request) -> Response {
    var headers = headers
    headers[.acceptRanges] = "bytes"
    let (tag, lastModified) = (headers[.eTag], headers[.lastModified].flatMap(HTTPDate.seconds))
    let fields = request.head.fields
    switch Preconditions.outcome(of: fields, method: request.method, tag: tag, lastModified: lastModified) {
    case .notModified: return Response(status: .notModified, headers: headers)
    case .failed: return Response(status: .preconditionFailed)
    case .goOn: break
    }
    // RFC 9110 §14.2: ranges are for GET alone.
    guard request.method == .get, Preconditions.allowsRange(fields, tag: tag, lastModified: lastModified),
      let ranges = fields[.range].flatMap({ ByteRanges($0, of: file.count) })
    else { return Response(status: .ok, headers: headers, body: .file(file, 0..<file.count)) }
    switch ranges.parts.count {
    case 0:
      // Kept by no cache, as the file itself may be.
      return Response(status: .rangeNotSatisfiable, headers: [.contentRange: "bytes */\(file.count)", .acceptRanges: "bytes"])
    case 1:
      headers[.contentRange] = contentRange(ranges.parts[0], of: file)
      return Response(status: .partialContent, headers: headers, body: .file(file, ranges.parts[0]))
    default: return multipart(ranges.parts, of: file, headers: headers)
    }
  }

  /// RFC 9110 §14.6: `multipart/byteranges`, each part with its own range and the file's type.
  private static func multipart(_ parts: [Range<Int>], of file: ServedFile, headers: HTTPFields) -> Response {
    var headers = headers
    let boundary = "part-\(String(UInt64.random(in: 0 ... .max), radix: 36))\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    let type = headers[.contentType].map { "Content-Type: \($0)\r\n" } ?? ""
    var body: [ResponseBody] = []
    for (index, part) in parts.enumerated() {
      let opening = "\(index == 0 ? "" : "\r\n")--\(boundary)\r\n\(type)Content-Range: \(contentRange(part, of: file))\r\n\r\n"
      body += [.bytes(Array(opening.utf8)), .file(file, part)]
    }
    body.append(.bytes(Array("\r\n--\(boundary)--\r\n".utf8)))
    headers[.contentType] = "multipart/byteranges; boundary=\(boundary)"
    return Response(status: .partialContent, headers: headers, body: .parts(body))
  }

  private static func contentRange(_ part: Range<Int>, of file: ServedFile) -> String {
    "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(file.count)"
  }
}
