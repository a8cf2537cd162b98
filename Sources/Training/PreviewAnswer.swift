import Datasets
import Images
import JSON

/// A dataset's own examples as one picture. Rows of a table become rows of pixels, black at the least value and white at the greatest.
struct PreviewAnswer {
  let request: SamplerRequest.Preview

  func frame() throws -> SamplerFrame {
    let description = request.dataset.description
    let dataset = try request.dataset.openForRequest()
    let count = min(request.count, dataset.count)
    guard count <= SampleAnswer.bytesMax / description.shape.dims / (request.scale * request.scale) else {
      let picture = "a picture of \(count) examples at scale \(request.scale)"
      throw SamplerFailure(.tooLarge, "\(picture) is more than \(SampleAnswer.bytesMax) bytes")
    }
    // Evenly strided: many files are sorted by class.
    let indices = (0..<count).map { $0 * dataset.count / count }
    let tiles = try Drawing.pictures(pixels(of: indices, in: dataset), of: description.shape)
    let picture =
      switch description.shape {
      case .image: try grid(tiles, columns: request.columns ?? Drawing.squareColumns(count), scale: request.scale)
      case .table: try grid(tiles, columns: 1, scale: request.scale, gap: 0)
      }
    let texts = [(keyword: "count", text: String(count))]
    return SamplerFrame(
      header: ["content_type": "image/png", "count": .integer(count)], payload: encodePNG(picture, text: texts))
  }

  private func pixels(of indices: [Int], in dataset: Dataset) -> [UInt8] {
    let description = dataset.description
    var values = [Float](repeating: 0, count: indices.count * description.shape.dims)
    var span = values.mutableSpan
    dataset.copyExamples(indices, into: &span)
    // In doubles, in which the distance between any two floats is neither infinite nor too small to divide by.
    let (least, most) = isPixels(description) ? (0, 255) : (description.minimum, description.maximum)
    let factor = most > least ? 255 / (most - least) : 0
    return values.map { UInt8(min(max(((Double($0) - least) * factor).rounded(), 0), 255)) }
  }

  /// Whether the values are pixels already. Bits that are 0 and 1 are not: they would be two blacks.
  private func isPixels(_ description: DatasetDescription) -> Bool {
    guard case .image = description.shape, description.element == .uint8 else { return false }
    return !description.bits || description.maximum > 1
  }
}
