/// Turns rows of pixels into rows of differences, each by the filter that makes it smallest (PNG §9, §12.7).
///
/// For every row all five filters are tried, and the one whose bytes, taken as signed, have the least sum of magnitudes is kept; the first
/// of equals. That choice is a heuristic, but it is the one every encoder makes, and it depends on nothing but the pixels.
struct PNGFilter {
  private let picture: Picture
  private let rowBytes: Int
  private var row = 0
  private var above: [UInt8]

  init(_ picture: Picture) {
    self.picture = picture
    rowBytes = picture.width * picture.channels
    above = [UInt8](repeating: 0, count: rowBytes)
  }

  /// The number of the filter and the filtered bytes; nil after the last row.
  mutating func nextRow() -> [UInt8]? {
    guard row < picture.height else { return nil }
    let current = Array(picture.pixels[row * rowBytes..<(row + 1) * rowBytes])
    defer {
      above = current
      row += 1
    }
    // A row like the one above, as scaled pictures have them: filter 2 leaves zeros, and no earlier one does unless all is zero.
    if current == above { return [current.allSatisfy { $0 == 0 } ? 0 : 2] + [UInt8](repeating: 0, count: rowBytes) }
    var best = filtered(current, by: 0)
    var bestCost = Self.cost(best)
    for type in UInt8(1)...4 {
      let candidate = filtered(current, by: type)
      let cost = Self.cost(candidate)
      if cost < bestCost { (best, bestCost) = (candidate, cost) }
    }
    return best
  }

  private static func cost(_ filtered: [UInt8]) -> Int {
    var sum = 0
    for byte in filtered[1...] { sum &+= Int(Int8(bitPattern: byte).magnitude) }
    return sum
  }

  /// Type 0 is none, 1 left, 2 above, 3 the mean of both, 4 Paeth (PNG §9.2). What is outside the picture counts as 0.
  private func filtered(_ current: [UInt8], by type: UInt8) -> [UInt8] {
    switch type {
    case 0: [type] + current
    case 1: differences(current, type) { left, _, _ in left }
    case 2: differences(current, type) { _, up, _ in up }
    case 3: differences(current, type) { left, up, _ in UInt8(truncatingIfNeeded: (UInt16(left) + UInt16(up)) / 2) }
    default: differences(current, type) { left, up, corner in Self.paeth(left, up, corner) }
    }
  }

  /// The type and each byte less what the neighbours of the same channel predict.
  @inline(__always) private func differences(
    _ current: [UInt8], _ type: UInt8, _ predict: (_ left: UInt8, _ up: UInt8, _ corner: UInt8) -> UInt8
  ) -> [UInt8] {
    let step = picture.channels
    var row = [UInt8](repeating: type, count: rowBytes + 1)
    for i in 0..<min(step, rowBytes) { row[i + 1] = current[i] &- predict(0, above[i], 0) }
    for i in step..<rowBytes { row[i + 1] = current[i] &- predict(current[i - step], above[i], above[i - step]) }
    return row
  }

  /// The neighbour nearest to left + up − corner; of equals left, then up (PNG §9.4).
  private static func paeth(_ left: UInt8, _ up: UInt8, _ corner: UInt8) -> UInt8 {
    let estimate = Int(left) + Int(up) - Int(corner)
    let (fromLeft, fromUp, fromCorner) = (abs(estimate - Int(left)), abs(estimate - Int(up)), abs(estimate - Int(corner)))
    if fromLeft <= fromUp && fromLeft <= fromCorner { return left }
    return fromUp <= fromCorner ? up : corner
  }
}
