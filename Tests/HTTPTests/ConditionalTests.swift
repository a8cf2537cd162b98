import Testing

/// RFC 9110 §13: conditional requests, of letters that are tagged "one" and of Sun, 06 Nov 1994 08:49:37 GMT.
struct ConditionalTests {
  let server: TestServer

  init() throws { server = try TestServer() }

  private static let (before, same, after) = (
    "Sun, 06 Nov 1994 08:49:36 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT"
  )

  private func status(_ fields: String, method: String = "GET", target: String = "/ranged") throws -> Int {
    let answer = try server.answer(to: "\(method) \(target) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
    #expect(answer.status != 304 || answer.body.isEmpty && answer.fields["etag"] != nil && answer.fields["content-length"] == nil)
    return answer.status
  }

  @Test(arguments: [
    ("\"one\"", 200), ("*", 200), ("\"two\"", 412), ("\"two\", \"one\"", 200), ("\"two\",\"three\"", 412), ("W/\"one\"", 412),
    ("\"two,\", \"one\"", 200), ("\"one", 412), ("one", 412), ("\"two\"\r\nIf-Match: \"one\"", 200), ("", 412),
  ])
  func `If-Match takes strong tags alone (§13·1·1)`(field: String, expected: Int) throws {
    #expect(try status("If-Match: \(field)\r\n") == expected)
  }

  @Test(arguments: [
    ("\"one\"", 304), ("*", 304), ("\"two\"", 200), ("W/\"one\"", 304), ("\"two\" , W/\"one\"", 304), ("\"One\"", 200), ("one", 200),
    ("\"a,\"one\"", 200), ("\"two\"\r\nIf-None-Match: \"one\"", 304), ("", 200),
  ])
  func `If-None-Match looks past the mark of a weak tag (§13·1·2)`(field: String, expected: Int) throws {
    #expect(try status("If-None-Match: \(field)\r\n") == expected)
    #expect(try status("If-None-Match: \(field)\r\n", method: "HEAD") == expected)
  }

  @Test(arguments: [
    (before, 200), (same, 304), (after, 304), ("Sunday, 06-Nov-94 08:49:37 GMT", 304), ("Sun Nov  6 08:49:37 1994", 304), ("soon", 200),
  ])
  func `If-Modified-Since is by date, in each of its three forms (§13·1·3, §5·6·7)`(date: String, expected: Int) throws {
    #expect(try status("If-Modified-Since: \(date)\r\n") == expected)
  }

  @Test(arguments: [
    (before, 412), (same, 200), (after, 200), ("Sun, 06 Nov 1994 08:49:37", 200), ("Sun, 31 Foo 1994 08:49:37 GMT", 200),
    ("Sun, 06 Nov 1994 24:49:37 GMT", 200), ("Sun, 06 Nov 1994 08:60:37 GMT", 200), ("Sun, 00 Nov 1994 08:49:37 GMT", 200),
    ("Thursday, 01-Jan-70 00:00:00 GMT", 412), ("Tue, 29 Feb 2000 00:00:00 GMT", 200),
  ])
  func `If-Unmodified-Since is by date, and one that is none counts as not given (§13·1·4)`(date: String, expected: Int) throws {
    #expect(try status("If-Unmodified-Since: \(date)\r\n") == expected)
  }

  @Test(arguments: [
    ("If-Match: \"one\"\r\nIf-Unmodified-Since: \(before)\r\n", 200), ("If-Match: \"two\"\r\nIf-Unmodified-Since: \(after)\r\n", 412),
    ("If-None-Match: \"two\"\r\nIf-Modified-Since: \(after)\r\n", 200), ("If-None-Match: \"one\"\r\nIf-Modified-Since: \(before)\r\n", 304),
    ("If-Match: \"one\"\r\nIf-None-Match: \"one\"\r\n", 304), ("If-Match: \"two\"\r\nIf-None-Match: \"one\"\r\n", 412),
    ("If-None-Match: \"one\"\r\nRange: bytes=0-1\r\nIf-Range: \"one\"\r\n", 304),
    ("If-Match: \"one\"\r\nRange: bytes=0-1\r\nIf-Range: \"two\"\r\n", 200), ("If-Match: \"one\"\r\nRange: bytes=0-1\r\n", 206),
  ])
  func `tags go before dates, and conditions before ranges (§13·2·2)`(fields: String, expected: Int) throws {
    #expect(try status(fields) == expected)
  }

  @Test func `a weak tag matches weakly alone (§8·8·3·2)`() throws {
    let target = "/ranged?tag=W/%22one%22"
    #expect(try status("If-None-Match: \"one\"\r\n", target: target) == 304)
    #expect(try status("If-Match: W/\"one\"\r\n", target: target) == 412)
  }
}
