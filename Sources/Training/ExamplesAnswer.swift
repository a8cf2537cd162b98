import Datasets
import Images
import JSON
import Models
import Tensors

/// What a model makes of examples, of its latents or of what is missing, as an answer's bytes.
struct ExamplesAnswer {
  let loaded: LoadedModel
  let model: String
  let form: SamplerRequest.Form

  private var shape: ExampleShape { loaded.preparation.shape }

  /// Features or latents of each example.
  func encode(_ file: DatasetFile) throws -> SamplerFrame {
    guard let encoder = loaded.model as? any Encodes else { throw unsupported("tells examples by no features") }
    let dataset = try examples(file, numbersEach: shape.dims)
    // One that is alone tells how many numbers each has.
    let width = encoder.encode(tensor(of: 0..<1, in: dataset)).columns
    guard dataset.count <= SampleAnswer.bytesMax / (form.format == .json ? 32 : 4) / width else {
      throw SamplerFailure(
        .tooLarge, "\(width) features of \(dataset.count) examples are more than an answer may have; send fewer examples")
    }
    var features: [Float] = []
    for start in stride(from: 0, to: dataset.count, by: Self.examplesAtOnce) {
      features += encoder.encode(tensor(of: start..<min(start + Self.examplesAtOnce, dataset.count), in: dataset)).scalars
    }
    guard form.format == .json else { return frame("application/x-npy", NPY.encode(shape: [dataset.count, width], floats: features)) }
    return frame("application/json", json("features", features, columns: width).serializedBytes())
  }

  /// Each example, and beside it what its latents make of it again.
  func reconstruct(_ file: DatasetFile) throws -> SamplerFrame {
    let latents = try hasLatents()
    let dataset = try examples(file, numbersEach: shape.dims)
    guard dataset.count <= SamplerLimits.countMax else {
      throw SamplerFailure(
        .tooLarge, "\(dataset.count) examples are more than the \(SamplerLimits.countMax) that are reconstructed at once")
    }
    let x = tensor(of: 0..<dataset.count, in: dataset)
    let again = latents.expected(latents.encode(x))
    guard form.format == .png else { return try rows(again, "reconstructions") }
    let pairs = (0..<x.rows).flatMap { Array(x.row($0)) + Array(again.row($0)) }
    return try picture(Tensor(shape: [2 * x.rows, x.columns], scalars: pairs), columns: 2 * (form.columns ?? Self.pairsARow(x.rows)), [])
  }

  /// Pairs in a row where nobody says: about a square.
  private static func pairsARow(_ pairs: Int) -> Int { (Drawing.squareColumns(2 * pairs) + 1) / 2 }

  /// What is expected along the way between two samples' latents; or along several, whose ends go from those to two others.
  func interpolate(_ asked: SamplerRequest.Interpolation) throws -> SamplerFrame {
    let latents = try hasLatents()
    let steps = asked.steps
    func start(_ seed: Int) -> [Float] { latents.latents([0], using: Philox(seed: UInt64(seed))).scalars }
    func points(_ from: [Float], _ to: [Float], count: Int) -> [[Float]] {
      let way = SphericalWay(from: from, to: to)
      return (0..<count).map { way.point(Double($0) / Double(count - 1)) }
    }
    var (lefts, rights) = ([start(asked.fromSeed)], [start(asked.toSeed)])
    var texts = [
      (keyword: "from_seed", text: String(asked.fromSeed)), (keyword: "to_seed", text: String(asked.toSeed)),
      (keyword: "steps", text: String(steps)),
    ]
    if let lower = asked.lower {
      lefts = points(lefts[0], start(lower.fromSeed), count: lower.rows)
      rights = points(rights[0], start(lower.toSeed), count: lower.rows)
      texts += [
        (keyword: "lower_from_seed", text: String(lower.fromSeed)), (keyword: "lower_to_seed", text: String(lower.toSeed)),
        (keyword: "rows", text: String(lower.rows)),
      ]
    }
    let z = zip(lefts, rights).flatMap { points($0, $1, count: steps).flatMap(\.self) }
    let x = latents.expected(Tensor(shape: [lefts.count * steps, latents.latentCount], scalars: z))
    return form.format == .png ? try picture(x, columns: form.columns ?? steps, texts) : try rows(x, "examples")
  }

  /// Draws of what a mask hides of one example.
  func complete(_ request: SamplerRequest.Completion) throws -> SamplerFrame {
    guard let model = loaded.model as? any Completes else { throw unsupported("completes no examples") }
    let image = try examples(request.image, numbersEach: shape.dims)
    guard image.count == 1 else { throw SamplerFailure(.unsupported, "image: one example is completed at once, not \(image.count)") }
    let known = try known(request.mask)
    let x = tensor(of: 0..<1, in: image)
    let drawn = model.complete(
      x, known: known, Array(0..<request.count), temperature: Float(request.temperature), using: Philox(seed: UInt64(request.seed)))
    let texts = [(keyword: "seed", text: String(request.seed)), (keyword: "count", text: String(request.count))]
    return form.format == .png
      ? try picture(drawn, columns: form.columns ?? Drawing.squareColumns(request.count), texts) : try rows(drawn, "samples")
  }

  /// Which numbers of an example a mask leaves as they are: where it is black. A mask of one channel is for all of them.
  private func known(_ file: DatasetFile) throws -> [Bool] {
    let mask = try file.openForRequest()
    let (pixels, channels): (Int, Int) =
      switch shape {
      case .image(let height, let width, let channels): (height * width, channels)
      case .table(let columns): (columns, 1)
      }
    guard mask.count == 1, [pixels, pixels * channels].contains(mask.shape.dims) else {
      throw SamplerFailure(.unsupported, "mask: \(mask.shape.json.serialized()) is no mask of \(shape.json.serialized())")
    }
    var values = [Float](repeating: 0, count: mask.shape.dims)
    var span = values.mutableSpan
    mask.copyExamples([0], into: &span)
    let half = Float(mask.description.maximum) / 2
    let hidden = values.map { $0 > 0 && $0 >= half }
    return mask.shape.dims == pixels * channels ? hidden.map { !$0 } : hidden.flatMap { [Bool](repeating: !$0, count: channels) }
  }

  /// Pictures of the weights of the first hidden units, each from its least in black to its greatest in white.
  func filters(count: Int) throws -> SamplerFrame {
    guard let filtering = loaded.model as? any HasFilters else { throw unsupported("has no filters") }
    let all = filtering.filters
    let some = all.rows(0..<min(count, all.rows))
    guard form.format == .png else { return frame("application/x-npy", NPY.encode(shape: [some.rows] + shape.sides, floats: some.scalars)) }
    let pixels = (0..<some.rows).flatMap { row -> [UInt8] in
      let (least, most) = (some.row(row).min() ?? 0, some.row(row).max() ?? 0)
      // One that is the same throughout is grey.
      guard most > least else { return [UInt8](repeating: 128, count: shape.dims) }
      return some.row(row).map { weight -> UInt8 in
        let shade: Float = (weight - least) / (most - least) * 255
        return UInt8(min(max(shade.rounded(), 0), 255))
      }
    }
    return try picture(pixels, count: some.rows, columns: form.columns ?? Drawing.squareColumns(some.rows), [])
  }
}

// MARK: In and out

extension ExamplesAnswer {
  /// Chosen, no result depends on it.
  private static let examplesAtOnce = 500

  private func unsupported(_ what: String) -> SamplerFailure { SamplerFailure(.unsupported, "the family \"\(loaded.family)\" \(what)") }

  private func hasLatents() throws -> any HasLatents {
    guard let model = loaded.model as? any HasLatents else { throw unsupported("has no latents to go through") }
    return model
  }

  private func examples(_ file: DatasetFile, numbersEach: Int) throws -> Dataset {
    if let refusal = loaded.preparation.refusal(of: file.description) { throw SamplerFailure(.unsupported, "the examples \(refusal)") }
    return try file.openForRequest()
  }

  /// Stochastic bits are drawn by the model's own seed, as for scores.
  private func tensor(of range: Range<Int>, in dataset: Dataset) -> Tensor {
    loaded.preparation.tensor(of: Array(range), in: dataset, draw: .fixed, using: Philox(seed: UInt64(loaded.seed)))
  }

  /// Rows as pixels or values in an array, or as JSON.
  private func rows(_ x: Tensor, _ name: String) throws -> SamplerFrame {
    let drawing = Drawing(preparation: loaded.preparation)
    guard form.format == .npy else {
      return frame("application/json", json(name, drawing.values(x), columns: x.columns).serializedBytes())
    }
    guard case .table = shape else {
      return frame("application/x-npy", NPY.encode(shape: [x.rows] + shape.sides, bytes: drawing.pixels(x)))
    }
    return frame("application/x-npy", NPY.encode(shape: [x.rows] + shape.sides, floats: drawing.values(x)))
  }

  private func json(_ name: String, _ values: [Float], columns: Int) -> JSONValue {
    let rows = stride(from: 0, to: values.count, by: columns).map { start in
      JSONValue.array(values[start..<start + columns].map { JSONValue(Optional(Double($0))) })
    }
    return .object(["model": .string(model), "step": .integer(loaded.step), "shape": shape.json, name: .array(rows)])
  }

  private func picture(_ x: Tensor, columns: Int, _ texts: [(keyword: String, text: String)]) throws -> SamplerFrame {
    try picture(Drawing(preparation: loaded.preparation).pixels(x), count: x.rows, columns: columns, texts)
  }

  private func picture(
    _ pixels: [UInt8], count: Int, columns: Int, _ texts: [(keyword: String, text: String)]
  ) throws -> SamplerFrame {
    guard case .image = shape else { throw SamplerFailure(.unsupported, "rows of a table are no pictures: ask for JSON or NPY") }
    guard count <= SampleAnswer.bytesMax / shape.dims / (form.scale * form.scale) else {
      throw SamplerFailure(.tooLarge, "a picture of \(count) examples at scale \(form.scale) is more than \(SampleAnswer.bytesMax) bytes")
    }
    let tiles = try Drawing.pictures(pixels, of: shape)
    let all = [(keyword: "model", text: model)] + texts + [(keyword: "step", text: String(loaded.step))]
    return frame("image/png", encodePNG(try grid(tiles, columns: columns, scale: form.scale), text: all))
  }

  private func frame(_ type: String, _ payload: [UInt8]) -> SamplerFrame {
    SamplerFrame(header: ["content_type": .string(type), "model": .string(model), "step": .integer(loaded.step)], payload: payload)
  }
}
