import JSON
import Tensors

/// MADE: an autoencoder whose masks make it a product of conditionals.
/// Germain, Gregor, Murray & Larochelle, ICML 2015 (arXiv:1502.03509).
struct MADE: ScoresLikelihood {
  private var bias: Tensor

  init(dims: Int) { bias = Tensor(repeating: 0, shape: [dims]) }

  let estimator = "exact"

  mutating func trainStep(on x: Tensor, examples: [Int], step: Int, learningRate: Float, using randomness: Philox) -> Double {
    let nats = nats(of: x)
    return nats.reduce(0, +) / Double(max(nats.count, 1))
  }

  func nats(of x: Tensor) -> [Double] { [Double](repeating: Double(x.columns) * 0.6931471805599453, count: x.rows) }

  func sample(_ indices: [Int], temperature: Float, using randomness: Philox) -> Tensor {
    let dims = bias.count
    let scalars = indices.flatMap { index in
      (0..<dims).map { randomness.uniform(.sampling, example: index, site: $0) < 0.5 ? Float(1) : 0 }
    }
    return Tensor(shape: [indices.count, dims], scalars: scalars)
  }

  var weights: [NamedTensor] { [NamedTensor("output.bias", bias)] }
  var trainingState: [NamedTensor] { weights }

  mutating func restore(_ tensors: [String: Tensor]) throws(RestoreError) {
    guard let tensor = tensors["output.bias"] else { throw .missing(name: "output.bias") }
    guard tensor.shape == bias.shape else { throw .wrongShape(name: "output.bias", expected: bias.shape, found: tensor.shape) }
    bias = tensor
  }
}

extension ModelFamily {
  static let made = ModelFamily(
    name: "made", title: "MADE",
    summary: "A masked autoencoder: every output sees only the inputs before it, so that one pass gives an exact likelihood.",
    paper: "Germain, Gregor, Murray, Larochelle: MADE: Masked Autoencoder for Distribution Estimation, ICML 2015",
    taxonomy: ["explicit", "tractable"], abilities: ["score"],
    schema: ConfigurationSchema(
      fields: [
        .init(
          "hidden_layers", .integers(count: 1...8, each: 1...8192), defaultValue: [500], "How many units each hidden layer has.",
          source: "the paper's smallest network, §6.2"),
        .init("orderings", .integer(1...64), defaultValue: 1, "How many orderings of the inputs are trained in turn.", source: "chosen"),
        .init("direct_connections", .boolean, defaultValue: true, "Whether inputs reach outputs directly.", source: "§4.1"),
      ],
      presets: [
        .init("small", "Learns within minutes.", ["hidden_layers": [200]]),
        .init("paper", "The paper's widest network.", ["hidden_layers": [8000], "orderings": 1]),
      ]),
    refusal: { _, input in
      input.kind == .bits ? nil : Fault(pointer: "", detail: "MADE learns bits; these examples are \(input.kind.rawValue)")
    },
    make: { _, input, _, _, _ in MADE(dims: input.dims) })
}
