/// Lines over a common axis, as a picture: axes with marks and their numbers, a faint grid, and a legend. The same numbers are the same
/// pixels.
package struct LineChart: Sendable {
  package struct Line: Sendable {
    package var name: String
    /// In the order of x. A point that is no number, or beyond `coordinateMax`, is left away.
    package var points: [(x: Double, y: Double)]

    package init(name: String, points: [(x: Double, y: Double)]) {
      self.name = name
      self.points = points
    }
  }

  package var title: String
  package var xName: String
  package var yName: String
  package var lines: [Line]
  package var width: Int
  package var height: Int

  /// A smaller chart has no room for its own letters, and a larger one would take long to make a PNG of.
  package static let sides = 240...1600
  /// So that no difference of two of them overflows.
  package static let coordinateMax = 1e300

  package init(title: String, xName: String, yName: String, lines: [Line], width: Int, height: Int) {
    precondition(Self.sides.contains(width) && Self.sides.contains(height), "a chart of \(width) x \(height) pixels")
    (self.title, self.xName, self.yName, self.lines) = (title, xName, yName, lines)
    (self.width, self.height) = (width, height)
  }

  /// From Wong, Points of view: color blindness, Nature Methods 8, 441 (2011): told apart also by those who see fewer colours.
  private static let colours = [
    Canvas.Colour(red: 0, green: 114, blue: 178), Canvas.Colour(red: 213, green: 94, blue: 0),
    Canvas.Colour(red: 0, green: 158, blue: 115), Canvas.Colour(red: 204, green: 121, blue: 167),
  ]

  package func picture() throws(PictureError) -> Picture {
    var canvas = Canvas(width: width, height: height)
    let shown = lines.map { Line(name: $0.name, points: $0.points.filter { Self.canShow($0.x) && Self.canShow($0.y) }) }
    let points = shown.flatMap(\.points)
    let scale = min(width, height) >= 400 ? 2 : 1
    let frame = Frame(
      x: Self.axis(points.map(\.x), marks: width / (70 * scale)), y: Self.axis(points.map(\.y), marks: height / (35 * scale)),
      letters: scale, width: width, height: height)
    frame.draw(on: &canvas, title: title, xName: xName, yName: yName)
    for (index, line) in shown.enumerated() {
      let colour = Self.colours[index % Self.colours.count]
      let places = line.points.map { frame.place(of: $0) }
      if let only = places.first, places.count == 1 { canvas.stroke(from: only, to: only, width: 6, colour) }
      for (a, b) in zip(places, places.dropFirst()) { canvas.stroke(from: a, to: b, width: Double(scale), colour) }
      frame.drawLegend(line.name, at: index, of: shown.count, colour, on: &canvas)
    }
    if points.isEmpty { frame.drawInMiddle("no values yet", on: &canvas) }
    return try canvas.picture()
  }

  private static func canShow(_ coordinate: Double) -> Bool { abs(coordinate) <= coordinateMax }

  private static func axis(_ values: [Double], marks: Int) -> AxisScale {
    AxisScale(from: values.min() ?? 0, to: values.max() ?? 1, marks: max(2, marks))
  }
}

/// Where the lines are drawn, and what stands around them.
private struct Frame {
  let x: AxisScale
  let y: AxisScale
  /// Pixels to a pixel of the font.
  let letters: Int
  let left, top, right, bottom: Int

  init(x: AxisScale, y: AxisScale, letters: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.letters = letters
    let line = (BitmapFont.height + 5) * letters
    left = (y.marks.map { Canvas.textWidth($0.text, scale: letters) }.max() ?? 0) + 8 * letters
    top = 2 * line + 4
    right = width - 10 * letters
    bottom = height - 2 * line - 6
  }

  func place(of point: (x: Double, y: Double)) -> (x: Double, y: Double) {
    (Double(left) + x.place(of: point.x) * Double(right - left), Double(bottom) - y.place(of: point.y) * Double(bottom - top))
  }

  func draw(on canvas: inout Canvas, title: String, xName: String, yName: String) {
    canvas.write(title, x: 4 * letters, y: 4, scale: letters, .ink)
    canvas.write(yName, x: 4 * letters, y: 4 + (BitmapFont.height + 5) * letters, scale: letters, .ink)
    let below = bottom + 5 * letters
    canvas.write(
      xName, x: right - Canvas.textWidth(xName, scale: letters), y: below + (BitmapFont.height + 5) * letters, scale: letters, .ink)
    for (value, text) in y.marks {
      let at = Int(place(of: (x.low, value)).y.rounded())
      canvas.fill(x: left..<right, y: at..<at + 1, .faint)
      canvas.fill(x: left - 3..<left, y: at..<at + 1, .ink)
      let start = left - 5 - Canvas.textWidth(text, scale: letters)
      canvas.write(text, x: start, y: at - BitmapFont.height * letters / 2, scale: letters, .ink)
    }
    for (value, text) in x.marks {
      let at = Int(place(of: (value, y.low)).x.rounded())
      canvas.fill(x: at..<at + 1, y: top..<bottom, .faint)
      canvas.fill(x: at..<at + 1, y: bottom..<bottom + 4, .ink)
      let width = Canvas.textWidth(text, scale: letters)
      canvas.write(text, x: min(at - width / 2, right + 10 * letters - width), y: below, scale: letters, .ink)
    }
    canvas.fill(x: left..<right, y: bottom..<bottom + 1, .ink)
    canvas.fill(x: left..<left + 1, y: top..<bottom + 1, .ink)
  }

  /// At the right above the lines, where a curve that falls leaves room.
  func drawLegend(_ name: String, at index: Int, of count: Int, _ colour: Canvas.Colour, on canvas: inout Canvas) {
    let row = top + 4 + index * (BitmapFont.height + 5) * letters
    let start = right - Canvas.textWidth(name, scale: letters) - 24 * letters
    let middle = row + BitmapFont.height * letters / 2
    canvas.fill(x: start - 4..<right, y: row - 3..<row + (BitmapFont.height + 2) * letters, .white)
    canvas.fill(x: start..<start + 18 * letters, y: middle - letters..<middle + letters, colour)
    canvas.write(name, x: start + 22 * letters, y: row, scale: letters, .ink)
  }

  func drawInMiddle(_ text: String, on canvas: inout Canvas) {
    let width = Canvas.textWidth(text, scale: letters)
    canvas.write(text, x: (left + right - width) / 2, y: (top + bottom) / 2, scale: letters, .ink)
  }
}
