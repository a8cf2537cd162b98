/// The types of number that an upload may hold.
enum NumberType: String, CaseIterable {
  case bool, uint8, int8, uint16, int16, uint32, int32, uint64, int64, float16, bfloat16, float32, float64

  var bytes: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    }
  }

  /// What examples of this type may be stored as: the first that holds every number. Integers become bytes where all are within 0…255.
  var elements: [Element] {
    switch self {
    case .bool, .uint8: [.uint8]
    case .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64: [.uint8, .float32]
    case .float16, .bfloat16, .float32, .float64: [.float32]
    }
  }
}

extension NumberType {
  /// Whether it holds whole numbers alone.
  var isInteger: Bool { ![.float16, .bfloat16, .float32, .float64].contains(self) }
}
