import Files
import Foundation
import Jobs
import Testing

struct EventTailTests {
  let folder: TemporaryFolder
  var path: String { "\(folder.path)/events.ndjson" }

  init() throws { folder = try TemporaryFolder() }

  private func append(_ text: String) throws { try OpenFile(appending: path).write(Array(text.utf8).span) }

  private func read(_ tail: inout EventTail) throws -> [String] {
    try tail.readToEnd().map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func `a file that is not there yet has no lines`() throws {
    var tail = EventTail(path)
    #expect(try read(&tail) == [])
    try append("a\n")
    #expect(try read(&tail) == ["a"])
  }

  @Test func `each line is read once, and one without its end waits for it`() throws {
    var tail = EventTail(path)
    try append("one\ntwo\nthr")
    #expect(try read(&tail) == ["one", "two"])
    #expect(try read(&tail) == [])
    #expect(tail.offset == 8)
    try append("ee\n")
    #expect(try read(&tail) == ["three"])
  }

  @Test func `lines written byte by byte come out the same`() throws {
    let text = "{\"a\":1}\n\n{\"b\":\"é\"}\nlast\n"
    var tail = EventTail(path)
    var lines: [String] = []
    for byte in Array(text.utf8) {
      try OpenFile(appending: path).write([byte].span)
      lines += try read(&tail)
    }
    #expect(lines == ["{\"a\":1}", "", "{\"b\":\"é\"}", "last"])
  }

  @Test func `reading goes on from an offset`() throws {
    try append("one\ntwo\n")
    var tail = EventTail(path, offset: 4)
    #expect(try read(&tail) == ["two"])
  }

  @Test func `a line over the limit is passed over`() throws {
    var tail = EventTail(path)
    try append("before\n" + String(repeating: "x", count: EventTail.lineBytesMax * 2 + 17))
    #expect(try read(&tail) == ["before"])
    try append("still the same line")
    #expect(try read(&tail) == [])
    try append("\nafter\n")
    #expect(try read(&tail) == ["after"])
  }

  @Test func `more lines than fit one read all come`() throws {
    let line = String(repeating: "y", count: 100_000)
    for _ in 0..<25 { try append(line + "\n") }
    var tail = EventTail(path)
    let lines = try read(&tail)
    #expect(lines.count == 25)
    #expect(lines.allSatisfy { $0 == line })
  }

  @Test(arguments: ["", "one\n", "one\ntw"])
  func `what a power cut has left of a file is not read again, and what is added is`(left: String) throws {
    try append("one\ntwo\n")
    var tail = EventTail(path)
    _ = try read(&tail)
    try Disk.replace(path, with: Array(left.utf8))
    #expect(try read(&tail) == [])
    try tail.endOpenLine()
    try append("new\n")
    #expect(try read(&tail).filter { !$0.isEmpty } == ["new"])
  }

  @Test func `an open line is ended, a whole one is left`() throws {
    let tail = EventTail(path)
    try tail.endOpenLine()
    #expect(!Disk.exists(path))
    try append("torn")
    try tail.endOpenLine()
    try tail.endOpenLine()
    #expect(try Disk.read(path, bytesMax: 100) == Array("torn\n".utf8))
  }
}
