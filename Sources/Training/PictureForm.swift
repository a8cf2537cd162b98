import Datasets
import JSON

/// What is done to pictures before a model sees them: they are brought to other sides, and to grey.
///
/// Bytes stay bytes, so that what models levels models levels still.
package struct PictureForm: Sendable, Equatable {
  package var resize: DecodeOptions.Sides?
  package var grayscale: Bool

  package init(resize: DecodeOptions.Sides? = nil, grayscale: Bool = false) {
    self.resize = resize
    self.grayscale = grayscale
  }

  /// Whether anything is to be done.
  var isGiven: Bool { resize != nil || grayscale }

  /// The shape that examples of another get; nil where they can't be brought into it: rows of a table, or a picture too large.
  func shape(of shape: ExampleShape) -> ExampleShape? {
    guard isGiven else { return shape }
    guard case .image(let height, let width, let channels) = shape else { return nil }
    return ExampleShape(sides: [resize?.height ?? height, resize?.width ?? width, grayscale ? 1 : channels])
  }

  /// The examples in the shape that they get.
  /// - Parameters:
  ///   - scalars: `[examples, dims]` in the shape `shape`.
  ///   - areBytes: whether they are whole numbers from 0 to 255, and stay so.
  func apply(to scalars: [Float], of shape: ExampleShape, areBytes: Bool) -> [Float] {
    guard isGiven, case .image(let height, let width, let channels) = shape else { return scalars }
    let greys = grayscale && channels == 3 ? Self.grey(scalars, areBytes: areBytes) : scalars
    guard let resize, resize != .init(height: height, width: width) else { return greys }
    let kept = grayscale ? 1 : channels
    let resampling = Resampling(from: (height, width), to: (resize.height, resize.width), channels: kept)
    let dims = height * width * kept
    return stride(from: 0, to: greys.count, by: dims).flatMap { start in
      let picture = greys[start..<start + dims]
      return areBytes ? resampling.resize(picture.map { UInt8($0) }).map { Float($0) } : resampling.resize(Array(picture))
    }
  }

  /// Luma of ITU-R BT.601; of bytes with weights of 16 bits, rounded, as Pillow's `convert("L")` has it.
  private static func grey(_ scalars: [Float], areBytes: Bool) -> [Float] {
    (0..<scalars.count / 3).map { pixel in
      let (red, green, blue) = (scalars[3 * pixel], scalars[3 * pixel + 1], scalars[3 * pixel + 2])
      if areBytes { return Float((Int(red) * 19_595 + Int(green) * 38_470 + Int(blue) * 7_471 + 0x8000) >> 16) }
      return 0.299 * red + 0.587 * green + 0.114 * blue
    }
  }
}

extension PictureForm {
  /// The fields `resize` and `grayscale` of a job's `data`, as far as they say anything.
  var fields: [(String, JSONValue)] {
    var fields: [(String, JSONValue)] = []
    if let resize { fields.append(("resize", [.integer(resize.height), .integer(resize.width)])) }
    if grayscale { fields.append(("grayscale", true)) }
    return fields
  }

  /// Reads the fields and records every fault.
  init(reader: FieldReader) {
    self.init(grayscale: reader.boolean("grayscale") ?? false)
    guard let sides = reader.value("resize"), !sides.isNull else { return }
    resize = Self.sides(sides)
    if resize == nil { reader.fault("resize", "must be [height, width], each 1 to 4096; was \(sides.serialized().prefix(60))") }
  }

  /// Nil where the fields are not what `fields` gives.
  init?(json: JSONValue) {
    self.init(grayscale: json["grayscale"]?.boolean ?? false)
    guard let sides = json["resize"] else { return }
    guard let resize = Self.sides(sides) else { return nil }
    self.resize = resize
  }

  private static func sides(_ json: JSONValue) -> DecodeOptions.Sides? {
    guard let sides = json.array?.compactMap(\.integer), sides.count == 2, json.array?.count == 2 else { return nil }
    return DecodeOptions.Sides("\(sides[0])x\(sides[1])")
  }

  /// Why examples of such a shape can't be brought into this form, and which field says so; nil when they can.
  func refusal(of shape: ExampleShape) -> (field: String, detail: String)? {
    guard self.shape(of: shape) == nil else { return nil }
    let field = resize != nil ? "resize" : "grayscale"
    if case .table = shape { return (field, "is for pictures; the examples of this dataset are rows of a table") }
    return (field, "gives a picture of more than \(ExampleShape.dimsMax) numbers, the most that is allowed")
  }
}
