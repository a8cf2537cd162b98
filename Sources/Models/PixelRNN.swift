import JSON
import Tensors

/// PixelRNN: an image's pixels in raster order, each told by LSTMs that have gone over those before it.
/// van den Oord, Kalchbrenner & Kavukcuoglu, Pixel Recurrent Neural Networks, ICML 2016 (arXiv:1601.06759), §3.1 to §3.4 and Table 1.
///
/// | paper | here      | shape              | role                                                                        |
/// |-------|-----------|--------------------|-----------------------------------------------------------------------------|
/// | h     | `channels` |                   | units of an LSTM; the way past it has 2h features (Figure 5, right)         |
/// | K^is  | `input`   | [2, 2h, 4h]        | input to state: a row's 3x1 of mask B, or the pixel alone where diagonals go |
/// | K^ss  | `V`       | [taps, h, 4h]      | state to state: three cells of the row above, or the pixels above and beside |
/// |       | `out`     | [1, h, 2h]         | what a layer adds to the way past it                                        |
///
/// Differs from the paper: the second LSTM of a layer, from the upper right, is not shifted down after it has run; its input is, which
/// makes it see the same pixels but for the first row, where it runs on its biases. As features leave their own pixel out, it never hears
/// of a row's last pixel: that the next row sees by the first layer alone, in the paper, too. Gates stand in the order in, forget,
/// candidate, out; biases are 0 at the start.
struct PixelRNN: PixelNetwork {
  private struct LSTM: Sendable {
    let path: ImageLSTM.Path
    let input: PixelConvolution
    let V: Int
  }

  private struct Layer: Sendable {
    /// One over rows, or two over diagonals.
    let lstms: [LSTM]
    let out: PixelConvolution
  }

  private let first: PixelConvolution
  private let layers: [Layer]
  private let h: Int
  let featureCount: Int

  init(_ configuration: Configuration, channels: Int, colours: Int, in parameters: inout Parameters, seed: UInt64) {
    let h = configuration.integer("channels")
    self.h = h
    featureCount = 2 * h
    first = PixelConvolution(
      "first", height: 7, width: 7, from: channels, to: 2 * h, sees: .before, colours: colours, in: &parameters, seed: seed)
    let paths: [ImageLSTM.Path] = configuration.string("variant") == "row_lstm" ? [.rows] : [.diagonals, .mirroredDiagonals]
    layers = (0..<configuration.integer("layers")).map { number in
      let lstms = paths.map { path in
        let name = "layer.\(number)." + (path == .mirroredDiagonals ? "right." : paths.count == 2 ? "left." : "")
        let input =
          path == .mirroredDiagonals
          ? PixelConvolution(name + "input", .above, from: 2 * h, to: 4 * h, in: &parameters, seed: seed)
          : PixelConvolution(
            name + "input", width: path == .rows ? 3 : 1, from: 2 * h, to: 4 * h, parts: 4, colours: colours, in: &parameters, seed: seed)
        return LSTM(path: path, input: input, V: Self.add(name + "state", path, units: h, to: &parameters, seed: seed))
      }
      let out = PixelConvolution("layer.\(number).out", from: h, to: 2 * h, colours: colours, in: &parameters, seed: seed)
      return Layer(lstms: lstms, out: out)
    }
  }

  /// Uniform at the start, within the bound of Glorot & Bengio 2010, eq. 16.
  private static func add(_ name: String, _ path: ImageLSTM.Path, units: Int, to parameters: inout Parameters, seed: UInt64) -> Int {
    let bound = (6 / Float(path.tapCount * 5 * units)).squareRoot()
    let start = Tensor(
      uniformIn: -bound..<bound, shape: [path.tapCount, units, 4 * units], .initialization, index: parameters.all.count,
      using: Philox(seed: seed))
    return parameters.add(name + ".weight", start, decays: true)
  }
}

// MARK: The equations

extension PixelRNN {
  func features(of x: Tape.Variable, _ weights: [Tape.Variable], on tape: inout Tape) -> Tape.Variable {
    var past = first.apply(to: x, weights, on: &tape)
    for layer in layers {
      let states = layer.lstms.map { lstm in
        tape.apply(ImageLSTM(lstm.path), [lstm.input.apply(to: past, weights, on: &tape), weights[lstm.V]])
      }
      let state = states.count == 1 ? states[0] : tape.apply(Add(), states)
      past = tape.apply(Add(), [past, layer.out.apply(to: state, weights, on: &tape)])
    }
    return past
  }

  /// LSTMs over rows and from the upper left go pixel by pixel, those from the upper right row by row, since they see the row above alone.
  func walk(_ weights: [Tensor], images: Int, width: Int) -> any PixelWalk {
    Walk(
      first: first.stepwise(.identity, weights, images: images, width: width),
      layers: layers.map { layer in
        Walk.Layer(
          lstms: layer.lstms.map { lstm in
            Walk.LSTM(
              path: lstm.path, input: lstm.input.stepwise(.identity, weights, images: images, width: width),
              cells: CellSteps(lstm.path, weights[lstm.V], images: images, width: width))
          },
          out: layer.out.stepwise(.identity, weights, images: images, width: width))
      },
      width: width)
  }

  private struct Walk: PixelWalk {
    struct LSTM {
      let path: ImageLSTM.Path
      var input: PixelStep
      var cells: CellSteps
    }

    struct Layer {
      var lstms: [LSTM]
      var out: PixelStep
    }

    var first: PixelStep
    var layers: [Layer]
    let width: Int

    mutating func begin(row: Int) {
      for number in layers.indices {
        for index in layers[number].lstms.indices {
          layers[number].lstms[index].cells.begin()
          guard layers[number].lstms[index].path == .mirroredDiagonals else { continue }
          for column in (0..<width).reversed() {
            let sums = layers[number].lstms[index].input.result(row: row, column: column)
            _ = layers[number].lstms[index].cells.next(sums, row: row, column: column)
          }
        }
      }
    }

    mutating func features(row: Int, column: Int) -> Tensor {
      var past = first.result(row: row, column: column)
      for number in layers.indices {
        var state: Tensor?
        for index in layers[number].lstms.indices {
          layers[number].lstms[index].input.put(past, row: row, column: column)
          var h = layers[number].lstms[index].cells.h(column)
          if layers[number].lstms[index].path != .mirroredDiagonals {
            let sums = layers[number].lstms[index].input.result(row: row, column: column)
            h = layers[number].lstms[index].cells.next(sums, row: row, column: column)
          }
          if let left = state { Add().forward([left, h], into: &h, .alone) }
          state = h
        }
        guard let state else { preconditionFailure("a layer without an LSTM") }
        let (before, added) = (past, layers[number].out.next(state, row: row, column: column))
        Add().forward([before, added], into: &past, .alone)
      }
      return past
    }

    mutating func put(_ x: Tensor, row: Int, column: Int) { first.put(x, row: row, column: column) }
  }
}

extension Taps {
  /// The pixel above.
  fileprivate static let above = Taps(height: 2, width: 1, border: .init(top: 1), live: [(0, 0)])
}

// MARK: The registry row

extension ModelFamily {
  package static let pixelRNN = ModelFamily(
    name: "pixelrnn", title: "PixelRNN",
    summary: "LSTMs over an image's rows or diagonals: each pixel is told by those before it, so that likelihoods are exact.",
    paper: "van den Oord, Kalchbrenner, Kavukcuoglu: Pixel Recurrent Neural Networks, ICML 2016, arXiv:1601.06759",
    taxonomy: ["explicit", "tractable"], abilities: ["score"],
    likelihood: .init(
      .exact, "Exact: each pixel is told given all that come before it."),
    sampling: "Pixel by pixel in reading order, each drawn given those before it.",
    schema: ConfigurationSchema(
      fields: [
        .init(
          "variant", .choice(["row_lstm", "diagonal_bilstm"]), defaultValue: "diagonal_bilstm",
          "Which way the LSTMs go: over rows, which see a triangle of what is above, or over diagonals from both sides, which see it all.",
          source: "the paper's model of MNIST"),
        .init(
          "channels", .integer(1...256), defaultValue: 16, "h: units of each LSTM; the way past it has twice as many features.",
          source: "the paper's model of MNIST"),
        .init("layers", .integer(1...32), defaultValue: 7, "How many layers of LSTMs there are.", source: "the paper's model of MNIST"),
        .init(
          "head_channels", .integer(1...2048), defaultValue: 32, "Features of the last hidden layer, 1x1.",
          source: "§4: 32 for MNIST, 1024 for CIFAR-10"),
      ] + PixelOutput.fields,
      presets: [
        .init("small", "Learns 28x28 bits in minutes on two cores.", ["layers": 2]),
        .init("paper", "The paper's network for CIFAR-10 (Table 1).", ["channels": 128, "layers": 12, "head_channels": 1024]),
      ]),
    refusal: { configuration, input in PixelModel.refusal(configuration, input, title: "PixelRNN") },
    make: { configuration, input, optimizer, seed, team in
      guard let image = input.imageShape else { preconditionFailure("refused: \(input)") }
      return PixelModel(configuration, image, optimizer: optimizer, seed: seed, team: team) { colours, parameters in
        PixelRNN(configuration, channels: image.channels, colours: colours, in: &parameters, seed: seed)
      }
    })
}
