/// JSON Pointers (RFC 6901): how a fault names the value that it is about.
package enum JSONPointer {
  /// One step of a pointer, escaped (§3).
  package static func token(_ name: String) -> String {
    var escaped = "/"
    for character in name {
      switch character {
      case "~": escaped += "~0"
      case "/": escaped += "~1"
      default: escaped.append(character)
      }
    }
    return escaped
  }
}
