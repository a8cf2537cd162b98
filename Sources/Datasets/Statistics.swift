/// What is told of a dataset's numbers, gathered while they go by.
struct Statistics {
  private(set) var minimum = Double.infinity
  private(set) var maximum = -Double.infinity
  private var sum = 0.0
  private var count = 0
  private var isZeroOne = true
  private var isZeroFull = true

  var mean: Double { count == 0 ? 0 : sum / Double(count) }

  /// Whether every number is 0 or 1, or every one is 0 or 255.
  var bits: Bool { isZeroOne || isZeroFull }

  /// Bytes by how often each came.
  mutating func add(_ histogram: [Int]) {
    for (value, times) in histogram.enumerated() where times > 0 {
      let value = Double(value)
      minimum = min(minimum, value)
      maximum = max(maximum, value)
      sum += value * Double(times)
      count += times
      if value != 0 && value != 1 { isZeroOne = false }
      if value != 0 && value != 255 { isZeroFull = false }
    }
  }

  /// Floats of one part, summed up.
  mutating func add(_ part: Part) {
    minimum = min(minimum, Double(part.minimum))
    maximum = max(maximum, Double(part.maximum))
    sum += part.sum
    count += part.count
    isZeroOne = isZeroOne && part.isZeroOne
    isZeroFull = isZeroFull && part.isZeroFull
  }

  /// The same over one part of the numbers, kept by the loop that converts them.
  struct Part {
    var minimum = Float.infinity
    var maximum = -Float.infinity
    var sum = 0.0
    var count = 0
    var isZeroOne = true
    var isZeroFull = true

    @inline(__always) mutating func add(_ value: Float) {
      minimum = value < minimum ? value : minimum
      maximum = value > maximum ? value : maximum
      sum += Double(value)
      count &+= 1
      let isZero = value == 0
      isZeroOne = isZeroOne && (isZero || value == 1)
      isZeroFull = isZeroFull && (isZero || value == 255)
    }
  }
}
