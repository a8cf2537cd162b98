import Foundation
import HTTP
import HTTPTypes
import Synchronization
import Testing

/// A server on a port of its own with a few routes, and a folder that goes with it.
final class TestServer: Sendable {
  let server: Server
  let folder: String
  let workQueue = DispatchQueue(label: "work", attributes: .concurrent)
  /// Signalled when a handler of `/wait` learns that its client is gone.
  let disconnected = DispatchSemaphore(value: 0)
  /// Signalled when `/wait` begins to work.
  let begun = DispatchSemaphore(value: 0)

  init(_ change: (inout ServerConfiguration) -> Void = { _ in }, admit: Server.Admission? = nil) throws {
    folder = FileManager.default.temporaryDirectory.path + "/http-tests-\(UInt64.random(in: 0 ... .max))"
    var configuration = ServerConfiguration()
    configuration.port = 0
    configuration.timeouts.lingerSeconds = 0.5
    change(&configuration)
    let uploads = folder + "/uploads"
    try FileManager.default.createDirectory(atPath: uploads, withIntermediateDirectories: true)
    try Data(repeating: 7, count: 300_000).write(to: URL(fileURLWithPath: folder + "/picture"))
    try Data("abcdefghijklmnopqrstuvwxyz".utf8).write(to: URL(fileURLWithPath: folder + "/letters"))
    let (folder, workQueue, disconnected, begun) = (folder, workQueue, disconnected, begun)
    // The routes need the list before `self` is whole.
    let list = WaitingList()
    waitingList = list
    let streams = TestStreams()
    self.streams = streams
    server = try Server(
      configuration: configuration,
      routes: [
        Route(.get, "/hello") { _, responder in responder.respond(.text("hello")) },
        Route(.delete, "/hello") { _, responder in responder.respond(Response(status: .noContent)) },
        Route(.get, "/later") { request, responder in
          workQueue.asyncAfter(deadline: .now() + .milliseconds(5)) {
            responder.respond(.text("later \(request.query.first?.value ?? "")"))
          }
        },
        Route(.get, "/echo/{name}") { request, responder in responder.respond(.text(request.parameters["name"] ?? "")) },
        Route(.get, "/about") { request, responder in
          let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "|")
          responder.respond(.text("\(request.head.authority) \(request.path) \(query) \(request.headers[.userAgent] ?? "-")"))
        },
        Route(.post, "/memory", body: .memory(bytesMax: 1000)) { request, responder in
          if case .bytes(let bytes) = request.body { responder.respond(.bytes(bytes)) } else { responder.respond(.text("nothing")) }
        },
        Route(.post, "/file", body: .file(bytesMax: 4_000_000, folder: uploads)) { request, responder in
          workQueue.async {
            guard case .file(let path, let count) = request.body, let data = FileManager.default.contents(atPath: path) else {
              return responder.respond(.text("no file"))
            }
            #expect(data.count == count)
            responder.respond(.bytes(Array(data)))
          }
        },
        Route(.post, "/kept", body: .file(bytesMax: 4_000_000, folder: uploads)) { request, responder in
          guard case .file(let path, _) = request.body else { return responder.respond(.text("no file")) }
          #expect(rename(path, folder + "/kept") == 0)
          responder.respond(.text("kept"))
        },
        Route(.post, "/form", body: .form(FormPolicy("image", "mask"), bytesMax: 4_000_000, folder: uploads), handler: TestForms.answer),
        Route(
          .post, "/either", body: .file(bytesMax: 4_000_000, folder: uploads, form: FormPolicy("file", ignoresOthers: true)),
          handler: TestForms.answer),
        Route(.post, "/dropped", body: .dropped(bytesMax: 1000)) { request, responder in responder.respond(.text("\(request.body)")) },
        Route(.get, "/large") { _, responder in responder.respond(.bytes([UInt8](repeating: 9, count: 5_000_000))) },
        Route(.get, "/picture") { _, responder in
          responder.respond(.file(folder + "/picture") { 0..<$0 })
        },
        Route(.get, "/ranged") { request, responder in
          guard let file = try? ServedFile(opening: folder + "/letters") else { return responder.respond(.text("no file")) }
          let headers: HTTPFields = [
            .contentType: "text/plain", .eTag: request.query.first?.value ?? "\"one\"", .lastModified: "Sun, 06 Nov 1994 08:49:37 GMT",
          ]
          responder.respond(.file(file, headers: headers, to: request))
        },
        Route(.get, "/coded") { request, responder in
          let query = Dictionary(request.query.map { ($0.name, $0.value) }) { first, _ in first }
          let text = String(repeating: "all work and no play ", count: query["count"].flatMap { Int($0) } ?? 500)
          var headers: HTTPFields = [.contentType: query["type"] ?? "application/json"]
          headers[.eTag] = query["tag"]
          headers[.vary] = query["vary"]
          let status: HTTPResponse.Status = query["status"] == "304" ? .notModified : .ok
          responder.respond(Response(status: status, headers: headers, body: .bytes(Array(text.utf8))).coded(for: request))
        },
        Route(.get, "/part") { _, responder in
          responder.respond(.file(folder + "/picture") { _ in 299_990..<300_000 })
        },
        Route(.get, "/missing") { _, responder in
          responder.respond(.file(folder + "/picture") { 0..<$0 + 10 })
        },
        Route(.get, "/stream") { request, responder in responder.respond(streams.answer(to: request)) },
        Route(.get, "/wait") { _, responder in
          responder.onDisconnect { disconnected.signal() }
          list.responders.withLock { $0.append(responder) }
          begun.signal()
        },
        Route(.get, "/dropped") { _, _ in },
        Route(.get, "/framing") { _, responder in
          responder.respond(
            Response(
              status: .ok, headers: [.contentLength: "77", .transferEncoding: "chunked", .connection: "upgrade"], body: .bytes([65])))
        },
      ], admit: admit, logger: .init(label: "test"))
    try server.start()
  }

  private let waitingList: WaitingList
  /// What `/stream` answers with.
  let streams: TestStreams

  private final class WaitingList: Sendable {
    let responders = Mutex<[Responder]>([])
  }

  deinit {
    server.drain(seconds: 0) {}
    try? FileManager.default.removeItem(atPath: folder)
  }

  var port: Int { server.port }

  func connect() throws -> RawClient { try RawClient(port: port) }

  /// Answers all that `/wait` holds.
  func answerWaiting() {
    let responders = waitingList.responders.withLock { responders in
      defer { responders = [] }
      return responders
    }
    for responder in responders { responder.respond(.text("at last")) }
  }

  var filesLeft: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder + "/uploads")) ?? ["no folder"] }

  /// The one answer to a request; and the same for the request in two parts, split at every byte, and behind others, cut at random.
  func answer(to request: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Answer {
    try answers(to: request, count: 1, sourceLocation: sourceLocation)[0]
  }

  /// All answers to some requests in a row, which must not depend on how the bytes are split.
  func answers(to text: String, count: Int, sourceLocation: SourceLocation = #_sourceLocation) throws -> [Answer] {
    let bytes = Array(text.utf8)
    let hasBody = !text.hasPrefix("HEAD ")
    func read(_ client: RawClient) throws -> [Answer] {
      var answers: [Answer] = []
      while answers.count < count {
        let answer = try client.readAnswer(hasBody: hasBody)
        if answer.status != 100 { answers.append(answer) }
      }
      if answers.last?.closes == true { #expect(client.readEnd(), "the connection must end in good order", sourceLocation: sourceLocation) }
      return answers
    }
    let whole = try connect()
    whole.send(bytes)
    let expected = try read(whole)
    let splits = Array(stride(from: 1, to: bytes.count, by: max(1, bytes.count / 300)))
    let clients = try splits.map { split in
      let client = try connect()
      client.send(bytes[..<split])
      return client
    }
    usleep(2000)
    for (client, split) in zip(clients, splits) { client.send(bytes[split...]) }
    for (client, split) in zip(clients, splits) {
      let answers = try read(client).map(\.withoutTimeAndIdentity)
      #expect(answers == expected.map(\.withoutTimeAndIdentity), "split at byte \(split)", sourceLocation: sourceLocation)
    }
    for _ in 0..<3 {
      let ahead = Int.random(in: 1...3)
      let client = try connect()
      client.sendCut(Array(String(repeating: "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", count: ahead).utf8) + bytes)
      for _ in 0..<ahead { #expect(try client.readAnswer().text == "hello", sourceLocation: sourceLocation) }
      let answers = try read(client).map(\.withoutTimeAndIdentity)
      #expect(answers == expected.map(\.withoutTimeAndIdentity), "behind \(ahead) others", sourceLocation: sourceLocation)
    }
    return expected
  }
}

extension Response {
  /// A part of a file; 500 where it can't be opened.
  static func file(_ path: String, _ part: (_ count: Int) -> Range<Int>) -> Response {
    guard let file = try? ServedFile(opening: path) else { return Response(status: .internalServerError) }
    return Response(status: .ok, body: .file(file, part(file.count)))
  }

  static func text(_ text: String) -> Response { .bytes(Array(text.utf8)) }
  static func bytes(_ bytes: [UInt8]) -> Response { Response(status: .ok, headers: [.contentType: "text/plain"], body: .bytes(bytes)) }
}
