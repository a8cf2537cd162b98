/// The class of every example, where an upload tells it.
struct Labels {
  /// In the order of their names, or of their numbers where all are whole numbers.
  let classes: [DatasetDescription.LabelClass]
  /// For each example the place of its class in `classes`.
  let values: [UInt16]

  /// An NPY array of `<u2`, `[count]`, as it stands behind the examples.
  var encoded: [UInt8] {
    var bytes = NPY.header(dimensions: [values.count], type: NPY.labelType)
    bytes.reserveCapacity(bytes.count + 2 * values.count)
    for value in values {
      bytes.append(UInt8(truncatingIfNeeded: value))
      bytes.append(UInt8(truncatingIfNeeded: value >> 8))
    }
    return bytes
  }
}

/// Gathers labels as they come, each class known by its name.
struct LabelCollector {
  private var places: [String: UInt16] = [:]
  private var names: [String] = []
  private var values: [UInt16] = []

  /// Chosen: their names are told with the dataset.
  static let classesMax = 4096
  static let nameBytesMax = 128

  var count: Int { values.count }

  /// - Returns: what is wrong with such a label, if anything.
  mutating func fault(adding name: String) -> String? {
    if let place = places[name] {
      values.append(place)
      return nil
    }
    guard names.count < Self.classesMax else { return "is one class more than the \(Self.classesMax) that are allowed" }
    guard name.utf8.count <= Self.nameBytesMax, !name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) else {
      return "is no name of a class: at most \(Self.nameBytesMax) bytes without control characters are allowed"
    }
    let place = UInt16(names.count)
    places[name] = place
    names.append(name)
    values.append(place)
    return nil
  }

  func finish() -> Labels {
    let numbers = names.compactMap { Int($0) }
    let isNumeric = numbers.count == names.count
    let order = names.indices.sorted { isNumeric ? numbers[$0] < numbers[$1] : names[$0] < names[$1] }
    var ranks = [UInt16](repeating: 0, count: names.count)
    for (rank, place) in order.enumerated() { ranks[place] = UInt16(rank) }
    var counts = [Int](repeating: 0, count: names.count)
    for value in values { counts[Int(value)] += 1 }
    return Labels(
      classes: order.map { DatasetDescription.LabelClass(name: names[$0], count: counts[$0]) }, values: values.map { ranks[Int($0)] })
  }
}
