import JSON
import Testing

@Suite struct `JSON texts` {
  static let refused = [
    "", " ", "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{\"a\":1,\"a\":2}", "01", "-", "1.", ".5", "+1", "1e", "NaN", "Infinity",
    "tru", "nul", "'a'", "\"a", "\"\t\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "[1 2]", "1 2",
    "// x\n1", "\u{FEFF}1", "[1]]", "{\"a\":1}}",
  ]

  @Test(arguments: refused) func `that break the grammar are refused with a place`(text: String) throws {
    let error = try #require(throws: JSONSyntaxError.self) { try JSONValue(parsing: text) }
    #expect(error.line >= 1 && error.column >= 1)
  }

  @Test(arguments: ["null", "true", "[]", "{}", "[1,-2,3.5,\"a\\n\\\"\\\\é\"]", "{\"b\":[{\"a\":null}],\"a\":-0.25}", "9007199254740991"])
  func `that are written compactly come back to the byte`(text: String) throws {
    #expect(try JSONValue(parsing: text).serialized() == text)
  }

  @Test func `tell line, column and pointer of a fault`() throws {
    let error = try #require(throws: JSONSyntaxError.self) {
      try JSONValue(parsing: "{\n  \"training\": {\"learning_rate\": NaN}\n}")
    }
    #expect(error.line == 2 && error.column == 33 && error.pointer == "/training/learning_rate")
  }

  @Test func `that are not UTF-8 are refused`() {
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: [0x22, 0xC3, 0x28, 0x22]) }
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: [0x22, 0xED, 0xA0, 0x80, 0x22]) }
  }

  @Test func `nested 100 000 deep are refused and harm nothing`() {
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: String(repeating: "[", count: 100_000)) }
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: String(repeating: "{\"a\":", count: 100_000)) }
  }

  @Test func `cut off at every byte are refused`() throws {
    let text = Array(#"{"a":[1.5e3,true,null,"é𝄞"],"b":{"c":false}}"#.utf8)
    _ = try JSONValue(parsing: text)
    for end in 0..<text.count { #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: Array(text[..<end])) } }
  }

  @Test func `with escapes mean their characters`() throws {
    #expect(try JSONValue(parsing: #""\u0041\ud834\udd1e\/\b\f\r\t""#) == .string("A𝄞/\u{8}\u{C}\r\t"))
  }

  @Test func `keep integers exactly and read whole doubles as integers`() throws {
    #expect(try JSONValue(parsing: "9007199254740993").integer == 9_007_199_254_740_993)
    #expect(try JSONValue(parsing: "2e3").integer == 2000)
    #expect(try JSONValue(parsing: "2.5").integer == nil)
    #expect(try JSONValue(parsing: "1e300").integer == nil)
    #expect(try JSONValue(parsing: "99999999999999999999").integer == nil)
  }

  @Test func `written for a person parse to the same value`() throws {
    let value: JSONValue = ["a": [1, 2.5, nil], "b": [:], "c": ["d": "e\u{1}"], "f": []]
    #expect(try JSONValue(parsing: value.serialized(pretty: true)) == value)
  }

  @Test(arguments: [0.1, 1e300, -2.5e-308, 123456789.125, 1.0 / 3.0, Double.leastNonzeroMagnitude])
  func `keep doubles to the bit`(number: Double) throws {
    #expect(try JSONValue(parsing: JSONValue.number(number).serialized()).number == number)
  }
}
