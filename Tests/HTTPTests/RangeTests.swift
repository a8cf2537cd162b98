import Foundation
import Testing

/// RFC 9110 §14: parts of a representation; here the 26 letters, tagged "one", of Sun, 06 Nov 1994 08:49:37 GMT.
struct RangeTests {
  let server: TestServer

  init() throws { server = try TestServer() }

  private func get(_ fields: String, method: String = "GET", target: String = "/ranged") -> String {
    "\(method) \(target) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
  }

  @Test(arguments: [
    ("bytes=0-4", "abcde", "0-4"), ("bytes=5-5", "f", "5-5"), ("bytes=20-", "uvwxyz", "20-25"), ("bytes=-3", "xyz", "23-25"),
    ("bytes=0-0", "a", "0-0"), ("bytes=25-25", "z", "25-25"), ("bytes=24-99", "yz", "24-25"),
    ("bytes=-99", "abcdefghijklmnopqrstuvwxyz", "0-25"),
    ("Bytes=1-2", "bc", "1-2"), ("bytes= 1-2", "bc", "1-2"), ("bytes=,,1-2,", "bc", "1-2"), ("bytes=1-2 ,\t", "bc", "1-2"),
    ("bytes=24-99999999999999999999999", "yz", "24-25"), ("bytes=-99999999999999999999", "abcdefghijklmnopqrstuvwxyz", "0-25"),
    ("bytes=0-1, 50-60", "ab", "0-1"), ("bytes=00-01", "ab", "0-1"),
  ])
  func `one range is answered with 206 and the part (§14·1·2, §15·3·7)`(field: String, text: String, range: String) throws {
    let answer = try server.answer(to: get("Range: \(field)\r\n"))
    #expect(answer.status == 206 && answer.text == text)
    #expect(answer.fields["content-range"] == "bytes \(range)/26" && answer.fields["content-length"] == "\(text.utf8.count)")
    #expect(answer.fields["etag"] == "\"one\"" && answer.fields["accept-ranges"] == "bytes")
  }

  @Test(arguments: ["bytes=26-", "bytes=30-40", "bytes=-0", "bytes=26-26, 99-", "bytes=99999999999999999999-"])
  func `a range that is not there gets 416 with the length (§15·5·17)`(field: String) throws {
    let answer = try server.answer(to: get("Range: \(field)\r\n"))
    #expect(answer.status == 416 && answer.fields["content-range"] == "bytes */26" && answer.body.isEmpty)
  }

  @Test(arguments: [
    "bytes=5-4", "bytes=a-b", "bytes=1", "bytes=-", "bytes=", "bytes", "lines=0-4", "bytes=1-2-3", "bytes=0-1;2-3", "bytes=+1-2",
    "bytes=1- 2",
    "bytes=0x1-2", "bytes=0-9,1-9,2-9", "bytes=\((0..<17).map { "\($0)-\($0)" }.joined(separator: ","))", "bytes=1 -2", "=0-1",
  ])
  func `a field that is no range of bytes, or an attack, counts as not given (§14·2)`(field: String) throws {
    let answer = try server.answer(to: get("Range: \(field)\r\n"))
    #expect(answer.status == 200 && answer.body.count == 26 && answer.fields["content-range"] == nil)
  }

  @Test func `several ranges come as parts in the order that was asked (§14·6)`() throws {
    let client = try server.connect()
    client.send(get("Range: bytes=20-21, 0-1,-1\r\n") + "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
    let answer = try client.readAnswer()
    #expect(answer.status == 206 && answer.fields["content-range"] == nil)
    let boundary = try #require(
      answer.fields["content-type"]?.firstRange(of: "boundary=").map { String(answer.fields["content-type"]![$0.upperBound...]) })
    #expect(answer.fields["content-type"]?.hasPrefix("multipart/byteranges; ") == true)
    let parts = [("20-21", "uv"), ("0-1", "ab"), ("25-25", "z")].map { range, text in
      "--\(boundary)\r\nContent-Type: text/plain\r\nContent-Range: bytes \(range)/26\r\n\r\n\(text)\r\n"
    }
    #expect(answer.text == parts.joined() + "--\(boundary)--\r\n")
    #expect(try client.readAnswer().text == "hello")
  }

  @Test func `ranges are for GET alone (§14·2)`() throws {
    let answer = try server.answer(to: get("Range: bytes=0-4\r\n", method: "HEAD"))
    #expect(answer.status == 200 && answer.fields["content-length"] == "26")
  }

  @Test(arguments: [
    ("\"one\"", 206), ("\"two\"", 200), ("W/\"one\"", 200), ("Sun, 06 Nov 1994 08:49:37 GMT", 206), ("Sun, 06 Nov 1994 08:49:38 GMT", 200),
    ("Sunday, 06-Nov-94 08:49:37 GMT", 206), ("Sun Nov  6 08:49:37 1994", 206), ("soon", 200), ("", 200), ("one", 200),
  ])
  func `a range of another version is not given: If-Range (§13·1·5)`(field: String, status: Int) throws {
    let answer = try server.answer(to: get("Range: bytes=0-4\r\nIf-Range: \(field)\r\n"))
    #expect(answer.status == status && answer.text == (status == 206 ? "abcde" : "abcdefghijklmnopqrstuvwxyz"))
  }

  @Test func `a weak tag makes no range (§13·1·5)`() throws {
    let answer = try server.answer(to: get("Range: bytes=0-4\r\nIf-Range: W/\"one\"\r\n", target: "/ranged?tag=W/%22one%22"))
    #expect(answer.status == 200)
  }
}
