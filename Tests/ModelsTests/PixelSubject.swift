import Foundation
import JSON
import Models
import Tensors
import Testing

/// A small model of pixels and data on which it can be trained in no time.
struct PixelSubject: Sendable, CustomTestStringConvertible {
  let family: ModelFamily
  let configuration: Configuration
  let image: ModelInput.ImageShape
  let kind: ModelInput.Kind
  let testDescription: String
  var optimizer = OptimizerSettings.adam
  var seed: UInt64 = 7

  init(_ family: ModelFamily, _ request: JSONValue, _ height: Int, _ width: Int, _ channels: Int = 1, _ kind: ModelInput.Kind = .bits) {
    let faults = Faults()
    configuration = family.schema.resolve(FieldReader(request, faults: faults))
    (self.family, self.kind, image) = (family, kind, .init(height: height, width: width, channels: channels))
    testDescription = "\(family.name) \(request.serialized()) \(height)x\(width)x\(channels)"
    precondition(faults.isEmpty, "\(faults.all)")
    precondition(family.refusal(configuration, input) == nil, "\(String(describing: family.refusal(configuration, input)))")
  }

  /// The same model for images of another size.
  func sized(_ height: Int, _ width: Int) -> PixelSubject {
    PixelSubject(family, configuration.json, height, width, image.channels, kind)
  }

  var dims: Int { image.height * image.width * image.channels }
  var input: ModelInput { ModelInput(dims: dims, imageShape: image, kind: kind) }
  /// How many channels come one after the other.
  var colours: Int { configuration.string("output") == "logistic_mixture" ? 1 : image.channels }

  func make(threads: Int = 1) -> PixelModel {
    guard let model = family.make(configuration, input, optimizer, seed, ThreadTeam(count: threads)) as? PixelModel else {
      preconditionFailure("\(family.name) is no model of pixels")
    }
    return model
  }

  /// Each number is likely to be near the one before it.
  func data(_ count: Int) -> Tensor {
    let uniforms = Tensor(uniform: dims, .data, examples: Array(0..<count), using: Philox(seed: 11))
    var x = Tensor(repeating: 0, shape: [count, dims])
    for row in 0..<count {
      for d in 0..<dims {
        let before = d == 0 ? 0 : x[row, d - 1]
        let near = 0.7 * before + 0.3 * uniforms[row, d]
        x[row, d] = kind == .bits ? (uniforms[row, d] < 0.15 + 0.7 * before ? 1 : 0) : (near * 255).rounded() / 255
      }
    }
    return x
  }

  func trained(steps: Int = 60, threads: Int = 1) -> PixelModel {
    var model = make(threads: threads)
    train(&model, steps: 0..<steps)
    return model
  }

  func train(_ model: inout PixelModel, steps: Range<Int>, rate: Float = 0.01) {
    let x = data(160)
    for step in steps {
      let start = step * 20 % 160
      _ = model.trainStep(
        on: x.rows(start..<start + 20), examples: Array(start..<start + 20), step: step, learningRate: rate, using: Philox(seed: seed))
    }
  }

  /// What the numbers that tell a pixel give the level of its first channel, in double precision.
  func mass(ofRed level: Int, _ told: [Float]) -> Double {
    let told = told.map { Double($0) }
    guard configuration.string("output") == "logistic_mixture" else { return exp(told[level]) / told[..<256].reduce(0) { $0 + exp($1) } }
    let components = configuration.integer("components")
    let shares = told[..<components].map { exp($0) }
    func below(_ edge: Double, _ k: Int) -> Double {
      let logScale = max(told[(image.channels == 1 ? 2 : 4) * components + k], -7)
      return 1 / (1 + exp(-(edge - told[components + k]) / exp(logScale)))
    }
    return shares.indices.reduce(0) { sum, k in
      let upper = level == 255 ? 1 : below((2 * Double(level) + 1) / 255 - 1, k)
      let lower = level == 0 ? 0 : below((2 * Double(level) - 1) / 255 - 1, k)
      return sum + shares[k] / shares.reduce(0, +) * (upper - lower)
    }
  }

  /// Stacks of masked squares do not reach all that comes before (van den Oord et al. 2016, Conditional Image Generation, Figure 1).
  /// Row LSTMs see a triangle of it.
  var hasBlindSpot: Bool {
    family.name == "pixelcnn" ? !configuration.boolean("gated") : configuration.string("variant") == "row_lstm"
  }

  /// The later sites that can't see one where the model has no blind spot as such. Features of a pixel leave itself out, so that LSTMs from
  /// the right never hear of a row's last pixel, which the next row sees by its 7x7 layer alone.
  func sitesBlind(to site: Int) -> Range<Int> {
    let row = image.width * colours
    guard family.name == "pixelrnn", site % row == row - 1 else { return 0..<0 }
    let next = (site / row + 1) * row
    return next..<next + max(0, image.width - 4) * colours
  }

  /// Every image of bits there is.
  var images: Tensor {
    Tensor(shape: [1 << dims, dims], scalars: (0..<1 << dims).flatMap { image in (0..<dims).map { Float(image >> $0 & 1) } })
  }
}

/// Pearson's test of counts against expectations, of which none is 0.
struct ChiSquare {
  private(set) var statistic = 0.0
  private(set) var cells = 0

  /// Cells of fewer than 5 expected go together, as the test's theory asks.
  init(counts: [Double], expected: [Double]) {
    var rest = (expected: 0.0, counted: 0.0)
    for (count, expectation) in zip(counts, expected) {
      if expectation >= 5 { add(expectation, count) } else { rest = (rest.expected + expectation, rest.counted + count) }
    }
    if rest.expected >= 5 { add(rest.expected, rest.counted) }
  }

  private mutating func add(_ expected: Double, _ counted: Double) {
    statistic += (counted - expected) * (counted - expected) / expected
    cells += 1
  }

  /// Wilson and Hilferty's quantile at 3.1 standard deviations, one in a thousand.
  var bound: Double {
    let degrees = Double(cells - 1)
    return degrees * pow(1 - 2 / (9 * degrees) + 3.1 * (2 / (9 * degrees)).squareRoot(), 3)
  }
}
