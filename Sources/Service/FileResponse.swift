import HTTP
import HTTPTypes

extension Response {
  /// A file, or the part of it that is asked for (RFC 9110 §14), or 304 where the client has it. One range is served; to more than one, and
  /// to what is no range of bytes, the answer is the whole, as the field's rules allow.
  /// - Parameter headers: with a strong `ETag`.
  /// - Throws: a 416 where none of the range is there (§15.5.17), which is kept by no cache as the file itself may be.
  static func file(_ file: ServedFile, headers: HTTPFields, to request: Request) throws(Problem) -> Response {
    var headers = headers
    let tag = headers[.eTag] ?? ""
    if EntityTag.isNamed(tag, in: request.headers[.ifNoneMatch]) { return Response(status: .notModified, headers: headers) }
    // §13.1.5: a range of another version of the file would not fit what the client has.
    let isSameFile = request.headers[.ifRange].map { $0 == tag } ?? true
    guard isSameFile, let field = request.headers[.range], let range = ByteRange(field) else {
      return Response(status: .ok, headers: headers, body: .file(file, 0..<file.count))
    }
    guard let part = range.part(of: file.count) else {
      throw Problem(
        .rangeNotSatisfiable, "the file has \(file.count) bytes, and none of \(field.prefix(60))",
        headers: [.contentRange: "bytes */\(file.count)", .acceptRanges: "bytes"])
    }
    headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(file.count)"
    return Response(status: .partialContent, headers: headers, body: .file(file, part))
  }
}

/// The one range of a `Range` field (RFC 9110 §14.1.2).
enum ByteRange: Equatable {
  /// `last` is nil for all that follows.
  case from(Int, last: Int?)
  case suffix(Int)

  init?(_ field: String) {
    guard field.lowercased().hasPrefix("bytes=") else { return nil }
    let ends = field.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else { return nil }
    switch (Int(ends[0]), Int(ends[1])) {
    case (nil, let count?) where ends[0].isEmpty: self = .suffix(count)
    case (let first?, nil) where ends[1].isEmpty: self = .from(first, last: nil)
    case (let first?, let last?) where first <= last: self = .from(first, last: last)
    default: return nil
    }
  }

  /// Nil where none of it is there.
  func part(of count: Int) -> Range<Int>? {
    switch self {
    case .suffix(let wanted): return wanted > 0 && count > 0 ? max(0, count - wanted)..<count : nil
    case .from(let first, let last):
      guard first < count else { return nil }
      return first..<min(last ?? count - 1, count - 1) + 1
    }
  }
}
