import Datasets
import Images
import Models
import Tensors

/// Rows of a model's numbers as pictures, pixels and raw values.
struct Drawing {
  let preparation: Preparation

  /// What `convert` makes of the samples with these numbers, drawn a few at a time; no sample depends on how many.
  static func drawn<Number>(
    _ indices: Range<Int>, by model: any GenerativeModel, chain: ChainLength? = nil, dims: Int, temperature: Float,
    using randomness: Philox,
    _ convert: (Tensor) -> [Number]
  ) -> [Number] {
    // Chosen: 64 of usual size are work for all threads, and 16 MiB of numbers are soon at hand.
    let batch = min(64, max(1, (1 << 22) / dims))
    var numbers: [Number] = []
    numbers.reserveCapacity(indices.count * dims)
    for start in stride(from: indices.lowerBound, to: indices.upperBound, by: batch) {
      let some = Array(start..<min(start + batch, indices.upperBound))
      if let chain, let model = model as? any DrawsByChains {
        numbers += convert(model.sample(some, chain: chain, temperature: temperature, using: randomness))
      } else {
        numbers += convert(model.sample(some, temperature: temperature, using: randomness))
      }
    }
    return numbers
  }

  /// The pixels of each row, 0…255: bits become 0 and 255, so that a PNG and an NPY of the same samples have the same pixels.
  /// - Parameter rows: `[n, dims]`, 0…1.
  /// - Returns: `[n, dims]`.
  func pixels(_ rows: Tensor) -> [UInt8] {
    (preparation.kind == .real ? values(rows) : rows.scalars).map { value in
      // A NaN, which no trained model should give, compares with nothing and is drawn black.
      let scaled = (value * 255).rounded()
      return scaled >= 255 ? 255 : scaled > 0 ? UInt8(scaled) : 0
    }
  }

  /// The values in the units that were uploaded.
  func values(_ rows: Tensor) -> [Float] {
    if let standardization = preparation.standardization { return standardization.restore(rows.scalars, dims: preparation.shape.dims) }
    let scale = Float(preparation.scale)
    return scale == 1 ? rows.scalars : rows.scalars.map { $0 * scale }
  }

  /// One picture a row.
  /// - Parameter pixels: `[n, height, width, channels]`.
  static func pictures(_ pixels: [UInt8], of shape: ExampleShape) throws(PictureError) -> [Picture] {
    let (height, width, channels) =
      switch shape {
      case .image(let height, let width, let channels): (height, width, channels)
      case .table(let columns): (1, columns, 1)
      }
    let bytes = height * width * channels
    var pictures: [Picture] = []
    for start in stride(from: 0, to: pixels.count, by: bytes) {
      pictures.append(try Picture(width: width, height: height, channels: channels, pixels: Array(pixels[start..<start + bytes])))
    }
    return pictures
  }

  /// The columns of the least square that holds so many pictures.
  static func squareColumns(_ count: Int) -> Int {
    var columns = 1
    while columns * columns < count { columns += 1 }
    return columns
  }
}
