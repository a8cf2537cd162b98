/// A row of the table: all that is known of one key. The name is the one of the file (`body_bytes_max`); the environment's
/// (`FOUNT_BODY_BYTES_MAX`) and the flag's (`--body-bytes-max`) follow from it.
package struct ConfigurationKey: Sendable {
  package let name: String
  /// What may be written, as the end of the sentence "must be …".
  package let allowed: String
  /// The default as it is written in a file: a value, or `auto`.
  package let defaultText: String
  /// What `auto` stands for; nil for a key that has no such default.
  package let automatic: String?
  package let description: String

  /// Reads `text` into the configuration and says whether it is one of the allowed.
  let assign: @Sendable (_ text: String, inout ServiceConfiguration) -> Bool
  /// An automatic default may look at the keys above its own, which are set by then.
  let setDefault: @Sendable (inout ServiceConfiguration, Machine) -> Void
  package let shown: @Sendable (ServiceConfiguration) -> String

  package var environmentName: String { Self.environmentPrefix + name.uppercased() }
  package var flag: String { "--" + name.replacing("_", with: "-") }

  package static let environmentPrefix = "FOUNT_"
  /// Written where a value may stand, it asks for the default that fits the machine.
  package static let automaticWord = "auto"

  package static let all = sections.flatMap(\.keys)
  package static func named(_ name: String) -> ConfigurationKey? { byName[name] }
  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}

extension ConfigurationKey {
  /// Keys that are read together, in the order of the file.
  package struct Section: Sendable {
    package let title: String
    package let keys: [ConfigurationKey]
  }

  enum Default<Value: Sendable>: Sendable {
    case value(Value)
    case automatic(String, @Sendable (ServiceConfiguration, Machine) -> Value)
  }

  init<Value: Sendable>(
    _ name: String, _ property: any WritableKeyPath<ServiceConfiguration, Value> & Sendable, _ format: ConfigurationFormat<Value>,
    default preset: Default<Value>, _ description: String
  ) {
    self.name = name
    self.description = description
    assign = { text, configuration in
      guard let value = format.parse(text) else { return false }
      configuration[keyPath: property] = value
      return true
    }
    shown = { format.shown($0[keyPath: property]) }
    switch preset {
    case .value(let value):
      allowed = format.allowed
      defaultText = format.shown(value)
      automatic = nil
      setDefault = { configuration, _ in configuration[keyPath: property] = value }
    case .automatic(let meaning, let make):
      allowed = "\(format.allowed), or \(Self.automaticWord) (\(meaning))"
      defaultText = Self.automaticWord
      automatic = meaning
      setDefault = { configuration, machine in configuration[keyPath: property] = make(configuration, machine) }
    }
  }
}
