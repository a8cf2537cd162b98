import Foundation
import Images
import Testing

@Suite struct `A line chart` {
  private func chart(_ lines: [[(x: Double, y: Double)]], width: Int = 400, height: Int = 300) throws -> Picture {
    let lines = lines.enumerated().map { LineChart.Line(name: "line \($0)", points: $1) }
    return try LineChart(title: "a title", xName: "epoch", yName: "nats", lines: lines, width: width, height: height).picture()
  }

  private func colour(_ picture: Picture, x: Int, y: Int) -> [UInt8] {
    let place = (y * picture.width + x) * 3
    return Array(picture.pixels[place..<place + 3])
  }

  /// Rows, per column, in which the first line's own blue is.
  private func blueRows(_ picture: Picture) -> [Int: [Int]] {
    var rows: [Int: [Int]] = [:]
    for y in 0..<picture.height {
      for x in 0..<picture.width where colour(picture, x: x, y: y) == [0, 114, 178] { rows[x, default: []].append(y) }
    }
    return rows
  }

  @Test func `is of the size that was asked, the same for the same numbers`() throws {
    let points = (0..<30).map { (x: Double($0), y: 1 / Double($0 + 1)) }
    let picture = try chart([points, points.reversed()], width: 640, height: 401)
    #expect(picture.width == 640 && picture.height == 401 && picture.channels == 3)
    #expect(try chart([points, points.reversed()], width: 640, height: 401) == picture)
    #expect(Set(picture.pixels).count > 4)
  }

  @Test func `shows a falling line falling, each column once, from its left end to its right`() throws {
    let picture = try chart([(0...10).map { (x: Double($0), y: 100 - 3 * Double($0)) }], width: 800, height: 480)
    // Legend and marks of axes are elsewhere: the middle half of the picture holds the line alone.
    let rows = blueRows(picture).filter { (picture.width / 4..<picture.width / 2).contains($0.key) }
    #expect(rows.count > picture.width / 8)
    let middles = rows.sorted { $0.key < $1.key }.map { Double($0.value.reduce(0, +)) / Double($0.value.count) }
    #expect(zip(middles, middles.dropFirst()).allSatisfy { $0 <= $1 } && (middles.last ?? 0) > (middles.first ?? 0) + 20)
  }

  @Test func `leaves a point that is no number away, and draws one alone as a dot`() throws {
    let whole = try chart([[(x: 1, y: 2), (x: 3, y: 4)]])
    let holes: [(x: Double, y: Double)] = [(1, 2), (2, .nan), (.infinity, 3), (2, -.infinity), (.nan, .nan), (2, 1.7e308), (3, 4)]
    #expect(try chart([holes]) == whole)
    #expect(try !blueRows(chart([[(x: 5, y: 5)]])).isEmpty)
  }

  @Test func `admits every number`() throws {
    let hard = [0, -0.0, Double.leastNonzeroMagnitude, 1e-300, 1e-9, 0.1, 1, 1e6, 1e15, 1e18, 1e19, 1e300, 1e308, .nan, .infinity]
    for a in hard + hard.map({ -$0 }) {
      for b in hard { _ = try chart([[(x: a, y: b), (x: b, y: a), (x: 0, y: a)]], width: 240, height: 240) }
    }
    _ = try chart([], width: 1600, height: 240)
    _ = try chart([[], []])
  }

  @Test func `says in letters what it shows`() throws {
    // The same but for one letter of the title differs at the top left alone.
    func titled(_ title: String) throws -> Picture {
      try LineChart(title: title, xName: "x", yName: "y", lines: [], width: 300, height: 240).picture()
    }
    let (a, b) = (try titled("A"), try titled("B"))
    let differing = (0..<a.pixels.count).filter { a.pixels[$0] != b.pixels[$0] }.map { $0 / 3 }
    #expect(!differing.isEmpty && differing.allSatisfy { $0 / 300 < 20 && $0 % 300 < 20 })
    #expect(try titled("é") == titled("ü"))
    #expect(try titled("é") != titled("e"))
  }
}
