import JSON

/// What one example is: a picture, or a row of numbers.
package enum ExampleShape: Sendable, Hashable {
  /// Grey (1 channel) or RGB (3), channels last.
  case image(height: Int, width: Int, channels: Int)
  case table(columns: Int)

  /// The numbers in one example.
  package var dims: Int { sides.reduce(1, *) }

  /// `[height, width, channels]` or `[columns]`.
  package var sides: [Int] {
    switch self {
    case .image(let height, let width, let channels): [height, width, channels]
    case .table(let columns): [columns]
    }
  }

  /// `[28, 28, 1]` or `[123]`.
  package var json: JSONValue { .array(sides.map { .integer($0) }) }

  /// Nil where these are no sides of an example, or their product is more than `dimsMax`.
  package init?(sides: [Int]) {
    guard sides.allSatisfy({ $0 >= 1 }), let dims = Sizes.product(sides), dims <= Self.dimsMax else { return nil }
    switch sides.count {
    case 1: self = .table(columns: sides[0])
    case 3 where sides[2] == 1 || sides[2] == 3: self = .image(height: sides[0], width: sides[1], channels: sides[2])
    default: return nil
    }
  }

  package init?(json: JSONValue) {
    guard let elements = json.array else { return nil }
    let sides = elements.compactMap(\.integer)
    guard sides.count == elements.count else { return nil }
    self.init(sides: sides)
  }

  /// The most numbers in one example: a picture of 1 182 x 1 182 in colour. Chosen, so that one example always fits in memory.
  package static let dimsMax = 1 << 22
}

/// How a number is stored.
package enum Element: String, Sendable, Hashable, CaseIterable {
  case uint8
  /// Little-endian.
  case float32

  package var bytes: Int { self == .uint8 ? 1 : 4 }
}

/// Arithmetic on sizes that came from outside.
enum Sizes {
  /// Nil where the product does not fit.
  static func product(_ factors: [Int]) -> Int? {
    var product = 1
    for factor in factors {
      let (next, overflows) = product.multipliedReportingOverflow(by: factor)
      if overflows { return nil }
      product = next
    }
    return product
  }
}
