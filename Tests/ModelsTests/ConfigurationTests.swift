import JSON
import Models
import Tensors
import Testing

struct ConfigurationTests {
  private func resolve(_ request: JSONValue) -> (Configuration, [Fault]) {
    let faults = Faults()
    let configuration = ModelFamily.made.schema.resolve(FieldReader(request, pointer: "/configuration", faults: faults))
    return (configuration, faults.all)
  }

  @Test(arguments: ModelFamily.all.map(\.name))
  func `a request that gives nothing gets every default`(name: String) throws {
    let family = try #require(ModelFamily.named(name))
    let faults = Faults()
    let configuration = family.schema.resolve(FieldReader([:], faults: faults))
    #expect(faults.isEmpty)
    #expect(configuration == family.schema.defaults)
    #expect(configuration.values.keys == family.schema.fields.map(\.name))
    for field in family.schema.fields { #expect(configuration.values[field.name] == field.defaultValue) }
  }

  @Test(arguments: ModelFamily.all.map(\.name))
  func `defaults and presets pass the family's own checks`(name: String) throws {
    let family = try #require(ModelFamily.named(name))
    for preset in [nil] + family.presets.map({ Optional($0) }) {
      let given = preset.map { JSONValue.object($0.values) } ?? [:]
      let faults = Faults()
      let configuration = family.schema.resolve(FieldReader(given, faults: faults))
      #expect(faults.all.isEmpty)
      // A preset is of some output: of bits or of levels.
      let refusals = [ModelInput.Kind.bits, .grey256].map { kind in
        family.refusal(configuration, ModelInput(dims: 784, imageShape: .init(height: 28, width: 28, channels: 1), kind: kind))
      }
      #expect(refusals.contains(nil))
    }
  }

  @Test func `every fault is told at once with its pointer`() {
    let (configuration, faults) = resolve([
      "hidden_layers": [500, 0], "orderings": 65, "direct_conections": true, "activation": "relo", "output": 3,
    ])
    #expect(
      Set(faults.map(\.pointer)) == [
        "/configuration/hidden_layers/1", "/configuration/orderings", "/configuration/direct_conections", "/configuration/activation",
        "/configuration/output",
      ])
    #expect(faults.contains { $0.detail.contains("\"direct_connections\"") })
    #expect(faults.contains { $0.detail.contains("\"relu\"") })
    #expect(configuration == ModelFamily.made.schema.defaults)
  }

  @Test func `a preset fills what is not given`() {
    let (configuration, faults) = resolve(["preset": "paper", "orderings": 2])
    #expect(faults.isEmpty)
    #expect(configuration.integers("hidden_layers") == [8000, 8000])
    #expect(configuration.integer("orderings") == 2)
    #expect(resolve(["preset": "tiny"]).1.map(\.pointer) == ["/configuration/preset"])
  }

  @Test func `the JSON Schema names every field with its range and default`() {
    let schema = ModelFamily.made.schema.jsonSchema()
    #expect(schema["additionalProperties"] == false)
    let layers = schema["properties"]?["hidden_layers"]
    #expect(layers?["type"] == "array" && layers?["maxItems"] == 8 && layers?["items"]?["minimum"] == 1 && layers?["default"] == [500])
    #expect(schema["properties"]?["preset"]?["enum"] == ["small", "paper"])
  }

  @Test func `examples that a family can't learn, and weights past all measure, are refused`() {
    let configuration = ModelFamily.made.schema.defaults
    #expect(ModelFamily.made.refusal(configuration, ModelInput(dims: 784, kind: .bits)) == nil)
    #expect(ModelFamily.made.refusal(configuration, ModelInput(dims: 784, kind: .grey256)) != nil)
    #expect(ModelFamily.made.refusal(configuration, ModelInput(dims: 1_000_000, kind: .bits))?.pointer == "/hidden_layers")
  }
}
