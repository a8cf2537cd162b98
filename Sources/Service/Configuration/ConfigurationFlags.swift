/// The flags of a command line, known from the table: `--port 8080` or `--port=8080`, and `--config FILE`.
package struct ConfigurationFlags: Sendable, Equatable {
  package private(set) var file: String?
  /// By the flag's name, ready for `ServiceConfiguration.load`, which refuses the unknown ones.
  package private(set) var values: [String: String] = [:]

  package static let fileFlag = "--config"

  /// - Parameter arguments: those after the command's name.
  package init(parsing arguments: [String]) throws(ConfigurationFaults) {
    var faults: [ConfigurationFault] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      guard argument.hasPrefix("--") else {
        faults.append(ConfigurationFault(subject: argument, source: nil, detail: "is not a flag; flags start with --"))
        continue
      }
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let name = parts[0]
      if let text = parts.count == 2 ? parts[1] : rest.popValue() {
        let isRepeated = name == Self.fileFlag ? file != nil : values[name] != nil
        if isRepeated { faults.append(ConfigurationFault(subject: name, source: nil, detail: "is given twice")) }
        if name == Self.fileFlag { file = text } else { values[name] = text }
      } else {
        faults.append(ConfigurationFault(subject: name, source: nil, detail: "needs a value after it"))
      }
    }
    guard faults.isEmpty else { throw ConfigurationFaults(all: faults) }
  }
}

extension ArraySlice<String> {
  /// The next argument, unless it is a flag itself: `--port --data x` lacks the port.
  fileprivate mutating func popValue() -> String? {
    guard let next = first, !next.hasPrefix("--") else { return nil }
    return popFirst()
  }
}
