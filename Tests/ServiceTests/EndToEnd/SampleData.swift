/// Small datasets that the tests make.
enum SampleData {
  /// An IDX file of unsigned bytes: magic, big-endian sides, values.
  static func idx(_ sides: [Int], _ values: [UInt8]) -> [UInt8] {
    [0, 0, 8, UInt8(sides.count)] + sides.flatMap { side in (0..<4).map { UInt8(truncatingIfNeeded: side >> (24 - 8 * $0)) } } + values
  }

  /// Bars and stripes of `side` by `side` bits, each pattern `copies` times: the textbook's smallest structured images.
  static func barsAndStripes(side: Int, copies: Int) -> [UInt8] {
    var values: [UInt8] = []
    for _ in 0..<copies {
      for pattern in 0..<(1 << side) {
        values += (0..<side * side).map { UInt8(pattern >> ($0 / side) & 1) }
        values += (0..<side * side).map { UInt8(pattern >> ($0 % side) & 1) }
      }
    }
    return idx([values.count / (side * side), side, side], values)
  }

  /// Every image of `height` by `width` bits, once.
  static func allImages(height: Int, width: Int) -> [UInt8] {
    let dims = height * width
    let values = (0..<1 << dims).flatMap { image in (0..<dims).map { UInt8(image >> $0 & 1) } }
    return idx([1 << dims, height, width], values)
  }

  /// Images of `height` by `width` bits in which each pixel mostly repeats the one before it: a distribution with structure to learn.
  static func chains(height: Int, width: Int, count: Int) -> [UInt8] {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    func random(below bound: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % bound
    }
    var values: [UInt8] = []
    for _ in 0..<count {
      var bit = UInt8(random(below: 2))
      for _ in 0..<height * width {
        if random(below: 5) == 0 { bit = 1 - bit }
        values.append(bit)
      }
    }
    return idx([count, height, width], values)
  }

  /// Grey pictures of two blurred shapes.
  static func greys(side: Int, count: Int) -> [UInt8] {
    var values: [UInt8] = []
    for image in 0..<count {
      for y in 0..<side {
        for x in 0..<side {
          let distance = image.isMultiple(of: 2) ? abs(x - side / 2) : abs(y - side / 2)
          values.append(UInt8(max(0, 255 - 60 * distance)))
        }
      }
    }
    return idx([count, side, side], values)
  }
}
