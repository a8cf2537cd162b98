import JSON

extension FieldReader {
  /// Records a fault for each field that a file or frame of our own lacks.
  func require(_ names: [String]) {
    for name in names { require(name, "it is always written") }
  }
}
