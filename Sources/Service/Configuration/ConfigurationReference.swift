/// The texts that come from the table: what `fount config show` prints, the flags of `--help`, the example file.
extension ServiceConfiguration.Loaded {
  /// A line a key: name, value, source.
  package func rendered() -> String {
    let rows = ConfigurationKey.all.map { key in
      let how = sources[key.name] == nil && key.automatic != nil ? " (\(ConfigurationKey.automaticWord))" : ""
      return [key.name, key.shown(configuration), "\(source(of: key))\(how)"]
    }
    return TextColumns.aligned(rows)
  }
}

extension ConfigurationKey {
  /// The flags, for `--help`.
  package static var flagsHelp: String {
    sections.map { section in
      let rows = section.keys.map { key in
        let preset = key.automatic.map { "\(automaticWord): \($0)" } ?? key.defaultText
        return ["  \(key.flag) <\(key.valueName)>", "\(key.description) (default: \(preset))"]
      }
      return "\(section.title):\n\(TextColumns.aligned(rows))"
    }.joined(separator: "\n")
  }

  /// `Config/fount.yaml`: every key with its default, and what else it may be.
  package static var exampleFile: String {
    let opening = """
      # Every key that fount knows, each with its default. A file need hold only what differs.
      # FOUNT_<KEY> in the environment overrules the file, and a flag overrules both: port is FOUNT_PORT and --port.
      # `fount config show` tells where each value in force came from. A key that is not listed here is refused.

      """
    let parts = sections.map { section in
      let keys = section.keys.map { key in
        "\(comment(key.description + " Must be " + key.allowed + "."))\(key.name): \(key.defaultText)\n"
      }
      return "\n# --- \(section.title) ---\n\n" + keys.joined(separator: "\n")
    }
    return opening + parts.joined()
  }

  /// Broken between words so that a line fits a terminal of 100 columns.
  private static func comment(_ text: String) -> String {
    var lines = ["#"]
    for word in text.split(separator: " ") {
      if lines[lines.count - 1].count + 1 + word.count > 100 { lines.append("#") }
      lines[lines.count - 1] += " " + word
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private var valueName: String {
    if name.contains("_bytes_") { return "bytes" }
    if name.contains("_seconds_") { return "seconds" }
    if name.hasPrefix("tls_") { return "files" }
    return ["data": "folder", "database": "folder", "host": "address", "log_level": "level"][name] ?? "n"
  }
}
