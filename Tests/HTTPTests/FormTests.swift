import Foundation
import Testing

/// RFC 7578 and RFC 2046 §5.1: forms, streamed to a file for each part.
struct FormTests {
  let server: TestServer

  init() throws { server = try TestServer() }

  private func post(_ body: String, to path: String = "/form", type: String = "multipart/form-data; boundary=XX") -> String {
    "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  private func part(_ name: String, _ data: String, fields: String = "", extra: String = "") -> String {
    "--XX\r\nContent-Disposition: form-data; name=\"\(name)\"\(extra)\r\n\(fields)\r\n\(data)\r\n"
  }

  // MARK: What is read

  @Test func `parts come with their names, file names, types and bytes (RFC 7578 §4)`() throws {
    let body =
      part("image", "one\r\ntwo\n\r", fields: "Content-Type: image/png\r\n", extra: "; filename=\"a \\\"b\\\";c.png\"")
      + part("mask", "", extra: "; filename=m") + "--XX--\r\n"
    let next = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
    let answers = try server.answers(to: post(body) + next, count: 2)
    #expect(answers.map(\.text) == ["image|a \"b\";c.png|image/png|10\none\r\ntwo\n\r\nmask|m|-|0\n\n", "hello"])
    #expect(server.filesLeft.isEmpty)
  }

  @Test(arguments: [
    "--XX\r\nCONTENT-disposition:form-data;name=image\r\n\r\nabc\r\n--XX--",
    "--XX  \t\r\nContent-Disposition: Form-Data ; name=\"image\" ;\r\n\r\nabc\r\n--XX--\r\n",
    "a preamble\r\nof two lines\r\n--XX\r\nContent-Disposition: form-data; name=image\r\n\r\nabc\r\n--XX-- and\r\n--XX\r\nan epilogue",
    "--XX\r\nX-Other: y\r\nContent-Transfer-Encoding: Binary\r\nContent-Disposition: form-data; name=image\r\n\r\nabc\r\n--XX--\r\n",
  ])
  func `the grammar's liberties are understood (RFC 2046 §5·1·1)`(_ body: String) throws {
    #expect(try server.answer(to: post(body)).text == "image|-|-|3\nabc\n")
  }

  @Test(arguments: ["\r\n--X", "\r\n-", "\r", "\n--XX", "\r\r\n--XY", "\r\n\r\n--X\r\n--\r\n", "--XX", "-", "\r\n--\r\n--X", "--X"])
  func `data that looks like a delimiter for a while is data`(_ data: String) throws {
    let expected = "image|-|-|\(data.utf8.count + 1)\na\(data)\nmask|-|-|1\nb\n"
    #expect(try server.answer(to: post(part("image", "a\(data)") + part("mask", "b") + "--XX--\r\n")).text == expected)
  }

  @Test func `data may begin like a delimiter, but one right after a part's head ends it (RFC 2046 §5·1·1)`() throws {
    #expect(try server.answer(to: post(part("image", "--X") + "--XX--")).text == "image|-|-|3\n--X\n")
    let empty = "--XX\r\nContent-Disposition: form-data; name=image\r\n\r\n--XX--\r\n"
    #expect(try server.answer(to: post(empty)).text == "image|-|-|0\n\n")
  }

  @Test(arguments: ["\"a'()+_,-./:=?b c\"", "ABC", "\"ABC\"", "\"A\\BC\""])
  func `a boundary is a token or a quoted string (RFC 2046 §5·1·1)`(_ boundary: String) throws {
    let text = boundary.filter { $0 != "\"" && $0 != "\\" }
    let body = "--\(text)\r\nContent-Disposition: form-data; name=image\r\n\r\nabc\r\n--\(text)--\r\n"
    #expect(try server.answer(to: post(body, type: "Multipart/Form-Data; charset=utf-8; Boundary=\(boundary)")).text.hasSuffix("abc\n"))
  }

  @Test func `a form may come in chunks`() throws {
    let body = part("image", "abc") + "--XX--\r\n"
    let chunks = body.utf8.map { "1\r\n\(Character(UnicodeScalar($0)))\r\n" }.joined() + "0\r\n\r\n"
    let head = "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=XX\r\nTransfer-Encoding: chunked\r\n\r\n"
    #expect(try server.answer(to: head + chunks).text == "image|-|-|3\nabc\n")
  }

  @Test func `a route may take a file or a form, and pass over parts that it does not know`() throws {
    #expect(try server.answer(to: post("abc", to: "/either", type: "text/plain")).text == "file\nabc")
    let body = part("other", "1") + part("file", "abc") + part("other", "2") + "--XX--\r\n"
    #expect(try server.answer(to: post(body, to: "/either")).text == "file|-|-|3\nabc\n")
  }

  @Test func `what a client calls its file is told as it came and is no path`() throws {
    let body = part("image", "abc", extra: "; filename=\"../../etc/passwd\"") + "--XX--\r\n"
    #expect(try server.answer(to: post(body)).text == "image|../../etc/passwd|-|3\nabc\n")
    #expect(server.filesLeft.isEmpty)
  }

  // MARK: What is refused

  @Test(arguments: [
    "", "abc", "--XX", "--XX\r\n", "--XX\r\nContent-Disposition: form-data; name=image\r\n\r\nabc",
    "--XX\r\nContent-Disposition: form-data; name=image\r\n\r\nabc\r\n--XX", "\r\n--XX-",
    "--XX\r\nContent-Disposition: form-data; name=image\r\n\r\nabc\r\n--XX\r\n",
    "--XX\nContent-Disposition: form-data; name=image\r\n\r\nabc\r\n--XX--",
    "--XX\r\nContent-Disposition: form-data; name=image\n\nabc\r\n--XX--",
    "--XX\r\nContent-Disposition: form-data;\r\n name=image\r\n\r\nabc\r\n--XX--",
    "--XX\r\nContent-Disposition : form-data; name=image\r\n\r\nabc\r\n--XX--",
    "--XX\r\nContent-Disposition: form-data; name=image\r\n\r\nabc\r\n--XXY\r\n\r\n--XX--",
    "--XX\r\nContent-Disposition: form-data; name=image\r\n\r\nabc\r\n--XX-\r\n--XX--", "--XX\r\n\r\nabc\r\n--XX--",
    "--XX\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--XX--",
    "--XX\r\nContent-Disposition: attachment; name=image\r\n\r\nabc\r\n--XX--",
    "--XX\r\nContent-Disposition: form-data; name=image; name=mask\r\n\r\nabc\r\n--XX--",
    "--XX\r\nContent-Disposition: form-data; name=\"image\r\n\r\nabc\r\n--XX--",
    "--XX\r\nContent-Disposition: form-data; name=\"image\"x\r\n\r\nabc\r\n--XX--",
    "--XX\r\nContent-Disposition: form-data; name=image\r\nContent-Disposition: form-data; name=mask\r\n\r\nabc\r\n--XX--",
    "--XX\r\nContent-Disposition: form-data; name=image\0\r\n\r\nabc\r\n--XX--",
  ])
  func `a malformed form gets 400 and nothing of it stays`(_ body: String) throws {
    // An empty body is no form at all, and the handler's to judge.
    let answer = try server.answer(to: body.isEmpty ? post("\r\n") : post(body))
    #expect(answer.status == 400, "\(answer.text)")
    #expect(server.filesLeft.isEmpty)
  }

  @Test(arguments: [
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"a \"", "multipart/form-data; boundary=a b",
    "multipart/form-data; boundary=a; boundary=b", "multipart/form-data; boundary=\"a%b\"",
    "multipart/form-data; boundary=\(String(repeating: "a", count: 71))",
  ])
  func `a boundary that is none gets 400 before the body (RFC 2046 §5·1·1)`(_ type: String) throws {
    #expect(try server.answer(to: post("--a--", type: type)).status == 400)
  }

  @Test(arguments: ["text/plain", "multipart/mixed; boundary=XX", "application/x-www-form-urlencoded", "multipart/form-data2; boundary=XX"])
  func `another body than a form gets 415 where only a form is taken (RFC 9110 §15·5·16)`(_ type: String) throws {
    #expect(try server.answer(to: post("--XX--", type: type)).status == 415)
    let client = try server.connect()
    client.send("POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: \(type)\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    #expect(try client.readAnswer().status == 415)
  }

  @Test func `parts that the route does not take, or takes once, get 422`() throws {
    let unknown = try server.answer(to: post(part("imag", "a") + "--XX--"))
    #expect(unknown.status == 422 && unknown.text.contains("\"imag\"") && unknown.text.contains("image, mask"))
    #expect(try server.answer(to: post(part("image", "a") + part("image", "b") + "--XX--")).status == 422)
    #expect(try server.answer(to: post(part("image", "YQ==", fields: "Content-Transfer-Encoding: base64\r\n") + "--XX--")).status == 415)
    #expect(server.filesLeft.isEmpty)
  }

  @Test func `preambles, heads and parts are bounded`() throws {
    let long = String(repeating: "x", count: 9000)
    #expect(try server.answer(to: post(long + "\r\n" + part("image", "a") + "--XX--")).status == 400)
    #expect(try server.answer(to: post(part("image", "a", fields: "X: \(long)\r\n") + "--XX--")).status == 431)
    let many = (0..<65).map { part("p\($0)", "") }.joined() + "--XX--"
    let answer = try server.answer(to: post(many, to: "/either"))
    #expect(answer.status == 400 && answer.text.contains("64"))
    let client = try server.connect()
    client.send(post(part("image", String(repeating: "y", count: 4_000_000)) + "--XX--"))
    #expect(try client.readAnswer().status == 413)
    #expect(server.filesLeft.isEmpty)
  }

  @Test func `a client that goes away within a part leaves nothing`() throws {
    let client = try server.connect()
    client.send(String(post(part("image", String(repeating: "y", count: 100_000)) + "--XX--").dropLast(50_000)))
    let deadline = Date() + 10
    while server.filesLeft.isEmpty, Date() < deadline { usleep(1000) }
    #expect(server.filesLeft.count == 1)
    client.reset()
    while !server.filesLeft.isEmpty, Date() < deadline { usleep(1000) }
    #expect(server.filesLeft.isEmpty)
  }

  @Test func `any bytes come through, however they are cut`() throws {
    var random = SystemRandomNumberGenerator()
    let pieces = ["\r", "\n", "\r\n", "--", "XX", "\r\n--X", "\r\n--", "-", "a", "\0"].map { Array($0.utf8) }
    for _ in 0..<60 {
      var data: [UInt8] = []
      // The one thing that no part may hold.
      while data.count < 400 {
        let next = data + (pieces.randomElement(using: &random) ?? [])
        if next.firstRange(of: Array("\r\n--XX".utf8)) == nil, !next.starts(with: Array("--XX".utf8)) { data = next }
      }
      let body = Array("--XX\r\nContent-Disposition: form-data; name=image\r\n\r\n".utf8) + data + Array("\r\n--XX--".utf8)
      let head = "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=XX\r\nContent-Length: \(body.count)\r\n\r\n"
      let client = try server.connect()
      client.send(head)
      var rest = body[...]
      while !rest.isEmpty {
        let cut = rest.prefix(Int.random(in: 1...120, using: &random))
        client.send(cut)
        rest = rest.dropFirst(cut.count)
        if Bool.random(using: &random) { usleep(200) }
      }
      #expect(try client.readAnswer().body == Array("image|-|-|\(data.count)\n".utf8) + data + [10])
    }
  }

  @Test func `a megabyte of random bytes comes through curl's own form`() throws {
    let bytes = (0..<1_000_000).map { _ in UInt8.random(in: 0...255) }
    try Data(bytes).write(to: URL(fileURLWithPath: server.folder + "/random"))
    let curl = Process()
    curl.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
    curl.arguments = ["-sS", "-F", "image=@\(server.folder)/random;type=image/png", "http://127.0.0.1:\(server.port)/form"]
    let output = Pipe()
    curl.standardOutput = output
    try curl.run()
    let told = Array(output.fileHandleForReading.readDataToEndOfFile())
    curl.waitUntilExit()
    #expect(told == Array("image|random|image/png|1000000\n".utf8) + bytes + [10])
  }

  @Test func `a body that is only counted is not kept`() throws {
    #expect(try server.answer(to: post("12345", to: "/dropped", type: "text/plain")).text == "dropped(count: 5)")
    #expect(try server.answer(to: post(String(repeating: "x", count: 1001), to: "/dropped")).status == 413)
  }
}
