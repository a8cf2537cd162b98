import Datasets
import Evaluation
import Images
import JSON
import Tensors

/// Samples beside the training examples that are nearest to them: whether a model makes something of its own, or tells what it was shown.
///
/// Near is by the Euclidean distance of what the model sees: bits, parts of 1, or standardized reals.
struct NeighboursAnswer {
  let request: SamplerRequest.Neighbours
  let loaded: LoadedModel

  private struct Neighbour {
    var example: Int
    var distance: Double
    var numbers: [Float]
  }

  /// Chosen: enough for the product of a block to be the work, and some megabytes of memory.
  private static let examplesAtOnce = 2000
  /// Candidates whose distances are then taken exactly: the product's rounding is far below the differences between so many.
  private static let candidates = 4

  func frame() throws -> SamplerFrame {
    let asked = request.samples
    let dims = loaded.preparation.shape.dims
    guard case .first(let count, let columns) = asked.selection else {
      throw SamplerFailure(.badRequest, "neighbours are looked for of samples from 0 on")
    }
    let dataset = try request.dataset.openForRequest()
    if let refusal = loaded.preparation.refusal(of: dataset.description) { throw SamplerFailure(.unsupported, "the examples \(refusal)") }
    let scalars = Drawing.drawn(
      0..<count, by: loaded.model, chain: asked.chain, dims: dims, temperature: Float(asked.temperature),
      using: Philox(seed: UInt64(asked.seed))
    ) { $0.scalars }
    let samples = Tensor(shape: [count, dims], scalars: scalars)
    let nearest = neighbours(of: samples, in: dataset)
    return asked.format == .png
      ? try png(samples, nearest, columns: columns ?? Drawing.squareColumns(count)) : json(nearest)
  }

  /// The examples that trained, some at a time.
  private func neighbours(of samples: Tensor, in dataset: Dataset) -> [Neighbour] {
    let training = ValidationSplit(dataset, fraction: request.validationFraction).training
    var best = [[Neighbour]](repeating: [], count: samples.rows)
    for start in stride(from: 0, to: training.count, by: Self.examplesAtOnce) {
      let indices = Array(training[start..<min(start + Self.examplesAtOnce, training.count)])
      let examples = loaded.preparation.tensor(of: indices, in: dataset, draw: .fixed, using: Philox(seed: UInt64(loaded.seed)))
      Distances.forEachRow(samples, to: examples, ThreadTeam(count: request.samples.threads)) { row, squares in
        for candidate in Distances.nearest(Self.candidates, in: squares) {
          let numbers = Array(examples.row(candidate.index))
          let square = zip(samples.row(row), numbers).reduce(0.0) { sum, pair in
            let difference = Double(pair.0) - Double(pair.1)
            return sum + difference * difference
          }
          best[row].append(Neighbour(example: indices[candidate.index], distance: square.squareRoot(), numbers: numbers))
        }
      }
      // Of those as near as each other the first.
      best = best.map { found in found.min { ($0.distance, $0.example) < ($1.distance, $1.example) }.map { [$0] } ?? [] }
    }
    return best.flatMap(\.self)
  }

  /// Each sample, and its neighbour at its right.
  private func png(_ samples: Tensor, _ nearest: [Neighbour], columns: Int) throws -> SamplerFrame {
    let shape = loaded.preparation.shape
    guard case .image = shape else { throw SamplerFailure(.unsupported, "rows of a table are no pictures: ask for JSON") }
    let scale = request.samples.scale
    guard 2 * samples.rows <= SampleAnswer.bytesMax / shape.dims / (scale * scale) else {
      throw SamplerFailure(.tooLarge, "a picture of \(samples.rows) pairs at scale \(scale) is more than \(SampleAnswer.bytesMax) bytes")
    }
    let pairs = nearest.enumerated().flatMap { row, neighbour in Array(samples.row(row)) + neighbour.numbers }
    let pixels = Drawing(preparation: loaded.preparation).pixels(Tensor(shape: [2 * samples.rows, samples.columns], scalars: pairs))
    let examples = nearest.map { String($0.example) }.joined(separator: " ")
    let texts = [
      (keyword: "model", text: request.samples.model), (keyword: "seed", text: String(request.samples.seed)),
      (keyword: "step", text: String(loaded.step)), (keyword: "neighbours", text: examples),
    ]
    // A pair is never parted: its two stand in one row.
    let picture = try grid(Drawing.pictures(pixels, of: shape), columns: 2 * max(1, (columns + 1) / 2), scale: scale)
    return SamplerFrame(header: ["content_type": "image/png"], payload: encodePNG(picture, text: texts))
  }

  private func json(_ nearest: [Neighbour]) -> SamplerFrame {
    let rows = nearest.enumerated().map { sample, neighbour -> JSONValue in
      ["sample": .integer(sample), "example": .integer(neighbour.example), "distance": .number(neighbour.distance)]
    }
    let answer: JSONValue = [
      "model": .string(request.samples.model), "seed": .integer(request.samples.seed), "step": .integer(loaded.step),
      "neighbours": .array(rows),
    ]
    return SamplerFrame(header: ["content_type": "application/json"], payload: answer.serializedBytes())
  }
}
