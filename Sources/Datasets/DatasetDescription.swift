import JSON

/// What is known of a dataset once it has been decoded.
package struct DatasetDescription: Sendable, Hashable {
  /// The number of examples, 1 … `countMax`.
  package let count: Int
  package let shape: ExampleShape
  package let element: Element
  /// The format of the upload, an `UploadFormat`.
  package let format: String
  /// Over every number of every example.
  package let minimum: Double
  package let maximum: Double
  package let mean: Double
  /// Whether every number is 0 or 1, or every one is 0 or 255.
  package let bits: Bool
  /// How many examples are equal to one before them; nil where they were not counted.
  package let duplicates: Int?
  /// The classes, where examples have labels.
  package let classes: [LabelClass]?

  package struct LabelClass: Sendable, Hashable {
    package let name: String
    /// Its examples.
    package let count: Int
  }

  package init(
    count: Int, shape: ExampleShape, element: Element, format: String, minimum: Double, maximum: Double, mean: Double, bits: Bool,
    duplicates: Int? = nil, classes: [LabelClass]? = nil
  ) {
    self.count = count
    self.shape = shape
    self.element = element
    self.format = format
    self.minimum = minimum
    self.maximum = maximum
    self.mean = mean
    self.bits = bits
    self.duplicates = duplicates
    self.classes = classes
  }

  /// An example's number is 32 bits of the address of the randomness that is spent on it.
  static let countMax = Int(UInt32.max)

  /// `[count, height, width, channels]` or `[count, columns]`: the shape of examples.npy.
  package var dimensions: [Int] { [count] + shape.sides }
}

extension DatasetDescription {
  package var json: JSONValue {
    var json: JSONObject = [
      "count": .integer(count), "shape": shape.json, "element": .string(element.rawValue), "format": .string(format),
      "minimum": JSONValue(minimum), "maximum": JSONValue(maximum), "mean": JSONValue(mean), "bits": .bool(bits),
    ]
    if let duplicates { json["duplicates"] = .integer(duplicates) }
    if let classes { json["classes"] = .array(classes.map { ["name": .string($0.name), "count": .integer($0.count)] }) }
    return .object(json)
  }

  /// Nil where a member is missing or is not what `json` writes.
  package init?(json: JSONValue) {
    guard let count = json["count"]?.integer, (1...Self.countMax).contains(count),
      let shape = json["shape"].flatMap(ExampleShape.init(json:)),
      let element = json["element"]?.string.flatMap(Element.init(rawValue:)), let format = json["format"]?.string,
      let minimum = json["minimum"]?.number, let maximum = json["maximum"]?.number, let mean = json["mean"]?.number,
      let bits = json["bits"]?.boolean
    else { return nil }
    var classes: [LabelClass]?
    if let told = json["classes"] {
      let known = told.array?.compactMap(LabelClass.init(json:)) ?? []
      guard known.count == told.array?.count, known.reduce(0, { $0 + $1.count }) == count else { return nil }
      classes = known
    }
    self.init(
      count: count, shape: shape, element: element, format: format, minimum: minimum, maximum: maximum, mean: mean, bits: bits,
      duplicates: json["duplicates"]?.integer, classes: classes)
  }
}

extension DatasetDescription.LabelClass {
  fileprivate init?(json: JSONValue) {
    guard let name = json["name"]?.string, let count = json["count"]?.integer, (1...DatasetDescription.countMax).contains(count)
    else { return nil }
    self.init(name: name, count: count)
  }
}
