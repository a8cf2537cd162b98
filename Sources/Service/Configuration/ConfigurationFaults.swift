import JSON

/// Where a value was given.
package enum ConfigurationSource: Sendable, Hashable, CustomStringConvertible {
  case flag(String)
  case environment(String)
  case file(path: String, line: Int)
  case preset

  package var description: String {
    switch self {
    case .flag(let name): "flag \(name)"
    case .environment(let name): name
    case .file(let path, let line): "\(path):\(line)"
    case .preset: "default"
    }
  }
}

/// One thing that is wrong with what the operator wrote.
package struct ConfigurationFault: Sendable, Hashable, CustomStringConvertible {
  /// The key, as it was written where it was given.
  package let subject: String
  /// Where; nil for the file as a whole.
  package let source: ConfigurationSource?
  package let detail: String

  package var description: String {
    guard let source else { return "\(subject): \(detail)" }
    return "\(source): \(subject) \(detail)"
  }
}

/// Everything that is wrong, at once. Never empty.
package struct ConfigurationFaults: Error, Sendable, Equatable, CustomStringConvertible {
  package let all: [ConfigurationFault]

  package var description: String { all.map(\.description).joined(separator: "\n") }
}

extension ConfigurationFault {
  static func unknown(_ subject: String, from source: ConfigurationSource, what: String, known: [String]) -> ConfigurationFault {
    let nearest = EditDistance.nearest(to: subject, among: known).map { "; did you mean \($0)?" } ?? ""
    return ConfigurationFault(subject: subject, source: source, detail: "is not a known \(what)\(nearest)")
  }

  static func refused(_ key: ConfigurationKey, from source: ConfigurationSource, was text: String) -> ConfigurationFault {
    let came = text.isEmpty ? "empty" : text.count > 80 ? "\(text.prefix(80))… (\(text.count) characters)" : text
    return ConfigurationFault(subject: key.name, source: source, detail: "must be \(key.allowed); was \(came)")
  }
}
