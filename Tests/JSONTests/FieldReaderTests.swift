import JSON
import Testing

@Suite struct `A reader of fields` {
  private func faults(_ text: String, _ read: (FieldReader) -> Void) throws -> [String: String] {
    let faults = Faults()
    let reader = FieldReader(try JSONValue(parsing: text), faults: faults)
    read(reader)
    reader.finish()
    return Dictionary(faults.all.map { ($0.pointer, $0.detail) }, uniquingKeysWith: { $0 + "|" + $1 })
  }

  @Test func `tells every fault at once, each with its pointer, what is allowed and what came`() throws {
    let found = try faults(#"{"training": {"epochs": -3, "learning_rate": "NaN", "optimiser": "adam"}, "seed": 1.5, "a/b~": 1}"#) { body in
      let training = body.object("training")
      #expect(training?.integer("epochs", in: 1...Int.max) == nil)
      #expect(training?.number("learning_rate", .positive) == nil)
      _ = training?.string("optimizer", oneOf: ["adam"])
      training?.finish()
      _ = body.integer("seed")
    }
    #expect(found["/training/epochs"] == "must be 1 or more; was -3")
    #expect(found["/training/learning_rate"] == "must be a number greater than 0; was \"NaN\"")
    #expect(found["/training/optimiser"] == "is not known here; did you mean \"optimizer\"?")
    #expect(found["/seed"] == "must be a whole number of any size; was 1.5")
    #expect(found["/a~1b~0"] != nil)
    #expect(found.count == 5)
  }

  @Test func `reads null as absent and a number too large as a fault`() throws {
    let found = try faults(#"{"a": null, "b": 1e999, "c": [1, 0, "x"]}"#) { body in
      #expect(!body.has("a") && body.integer("a") == nil)
      #expect(body.number("b") == nil)
      #expect(body.integers("c", count: 1...8, each: 1...100) == nil)
    }
    #expect(Set(found.keys) == ["/b", "/c/1", "/c/2"])
  }

  @Test func `tells so many faults and no more, however many a hostile body has`() throws {
    let names = (0..<30_000).map { "\"n\($0)\": 1" }
    let began = ContinuousClock.now
    #expect(try faults("{\(names.joined(separator: ","))}") { _ = $0.integer("seed") }.count == Faults.countMax)
    #expect(began.duration(to: .now) < .seconds(1))
  }

  @Test func `takes another kind than an object as a fault`() throws {
    #expect(try faults("[1]") { _ in }[""] == "must be an object; was an array")
  }

  @Test func `counts the letters between words`() {
    #expect(EditDistance.between("kitten", "sitting") == 3)
    #expect(EditDistance.between("", "abc") == 3)
    #expect(EditDistance.between("haste", "ahste") == 1)
    #expect(EditDistance.nearest(to: "SEDE", among: ["epochs", "seed"]) == "seed")
    #expect(EditDistance.nearest(to: "epoch", among: ["epochs", "seed"]) == "epochs")
    #expect(EditDistance.nearest(to: "zzz", among: ["epochs", "seed"]) == nil)
  }
}
