import Datasets
import Images
import JSON
import Tensors

/// Draws what a request for samples names.
struct SampleAnswer {
  let request: SamplerRequest.Samples
  let loaded: LoadedModel

  private var shape: ExampleShape { loaded.preparation.shape }
  private var isTable: Bool { if case .table = shape { true } else { false } }

  private var indices: Range<Int> {
    switch request.selection {
    case .first(let count, _): 0..<count
    case .one(let index): index..<index + 1
    }
  }

  func frame() throws -> SamplerFrame {
    switch request.format {
    case .png: try png()
    case .npy: try npy()
    case .json: try json()
    }
  }

  /// So many bytes an answer may have; the grid's own bound on its pixels is the same.
  static let bytesMax = 1 << 28
  /// What a number takes in an array of bytes, in one of floats, and in JSON, where it is a value before it is text.
  private enum NumberBytes {
    static let pixel = 1
    static let float = 4
    static let json = 32
  }

  /// What `convert` makes of every sample's numbers: the answer alone is held whole.
  private func drawn<Number>(bytesEach: Int, _ convert: (Tensor) -> [Number]) throws -> [Number] {
    guard indices.count <= Self.bytesMax / bytesEach / shape.dims else {
      let most = Self.bytesMax / bytesEach
      throw SamplerFailure(.tooLarge, "\(indices.count) samples of \(shape.dims) numbers are more than \(most) numbers in all")
    }
    return Drawing.drawn(
      indices, by: loaded.model, chain: request.chain, dims: shape.dims, temperature: Float(request.temperature),
      using: Philox(seed: UInt64(request.seed)), convert)
  }

  private func png() throws -> SamplerFrame {
    guard !isTable else { throw SamplerFailure(.unsupported, "rows of a table are no pictures: ask for JSON or NPY") }
    guard indices.count <= Self.bytesMax / shape.dims / (request.scale * request.scale) else {
      let picture = "a picture of \(indices.count) samples at scale \(request.scale)"
      throw SamplerFailure(.tooLarge, "\(picture) is more than \(Self.bytesMax) bytes")
    }
    let drawing = Drawing(preparation: loaded.preparation)
    let tiles = try Drawing.pictures(try drawn(bytesEach: NumberBytes.pixel, drawing.pixels), of: shape)
    var columns = 1
    if case .first(let count, let asked) = request.selection { columns = asked ?? Drawing.squareColumns(count) }
    let picture = try grid(tiles, columns: columns, scale: request.scale)
    return frame("image/png", encodePNG(picture, text: texts))
  }

  /// What the picture itself says of where it came from.
  private var texts: [(keyword: String, text: String)] {
    let which =
      switch request.selection {
      case .first(let count, _): (keyword: "count", text: String(count))
      case .one(let index): (keyword: "index", text: String(index))
      }
    let chain = request.chain.map { chain in
      [(keyword: "burn_in", text: String(chain.burnIn))] + (chain.thin.map { [(keyword: "thin", text: String($0))] } ?? [])
    }
    return [
      (keyword: "model", text: request.model), (keyword: "seed", text: String(request.seed)), which,
      (keyword: "step", text: String(loaded.step)), (keyword: "temperature", text: JSONValue.number(request.temperature).serialized()),
    ] + (chain ?? [])
  }

  private func npy() throws -> SamplerFrame {
    let drawing = Drawing(preparation: loaded.preparation)
    let bytes =
      isTable
      ? NPY.encode(shape: [indices.count] + shape.sides, floats: try drawn(bytesEach: NumberBytes.float, drawing.values))
      : NPY.encode(shape: [indices.count] + shape.sides, bytes: try drawn(bytesEach: NumberBytes.pixel, drawing.pixels))
    return frame("application/x-npy", bytes)
  }

  private func json() throws -> SamplerFrame {
    let values = try drawn(bytesEach: NumberBytes.json, Drawing(preparation: loaded.preparation).values)
    let rows = stride(from: 0, to: values.count, by: shape.dims).map { start in
      JSONValue.array(values[start..<start + shape.dims].map { .number(Double($0)) })
    }
    let answer: JSONValue = [
      "model": .string(request.model), "seed": .integer(request.seed), "step": .integer(loaded.step), "shape": shape.json,
      "samples": .array(rows),
    ]
    return frame("application/json", answer.serializedBytes())
  }

  private func frame(_ type: String, _ payload: [UInt8]) -> SamplerFrame {
    let header: JSONValue = [
      "content_type": .string(type), "model": .string(request.model), "seed": .integer(request.seed), "step": .integer(loaded.step),
    ]
    return SamplerFrame(header: header, payload: payload)
  }
}
