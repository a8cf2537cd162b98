/// NumPy's format for one array (numpy.lib.format, version 1.0): what datasets are kept in, and one form of the answers.
package enum NPY {
  /// An array of bytes, C order.
  /// - Parameter bytes: as many as the shape's product.
  package static func encode(shape: [Int], bytes: [UInt8]) -> [UInt8] {
    precondition(Sizes.product(shape) == bytes.count, "\(bytes.count) bytes in shape \(shape)")
    return header(dimensions: shape, element: .uint8) + bytes
  }

  /// An array of float32, C order.
  package static func encode(shape: [Int], floats: [Float]) -> [UInt8] {
    precondition(Sizes.product(shape) == floats.count, "\(floats.count) floats in shape \(shape)")
    var file = header(dimensions: shape, element: .float32)
    file.reserveCapacity(file.count + 4 * floats.count)
    for value in floats {
      let bits = value.bitPattern
      for shift in stride(from: UInt32(0), to: 32, by: 8) { file.append(UInt8(truncatingIfNeeded: bits >> shift)) }
    }
    return file
  }

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Magic, version 1.0, the length, and the dictionary, padded so that the numbers begin at a multiple of 64.
  package static func header(dimensions: [Int], element: Element) -> [UInt8] {
    header(dimensions: dimensions, type: element == .uint8 ? "|u1" : "<f4")
  }

  /// The type of labels: 16 bits without a sign, little-endian.
  static let labelType = "<u2"

  static func header(dimensions: [Int], type: String) -> [UInt8] {
    let shape = dimensions.map(String.init).joined(separator: ", ") + (dimensions.count == 1 ? "," : "")
    var dictionary = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(shape)), }"
    let before = magic.count + 4
    dictionary += String(repeating: " ", count: 63 - (before + dictionary.utf8.count) % 64) + "\n"
    let length = UInt16(dictionary.utf8.count)
    return magic + [1, 0, UInt8(length & 0xff), UInt8(length >> 8)] + Array(dictionary.utf8)
  }
}
