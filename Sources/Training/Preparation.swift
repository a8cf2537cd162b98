import Datasets
import JSON
import Models
import Tensors

/// How a dataset's values become the numbers of a model, and back.
///
/// It is fitted to the training set and kept with the weights, so that what is scored later is prepared the same way.
package struct Preparation: Sendable, Equatable {
  /// Of an example as the model sees it.
  package let shape: ExampleShape
  package let kind: ModelInput.Kind
  package let binarization: Binarization
  /// What brings the examples of a dataset into `shape`.
  package let pictures: PictureForm
  /// The value that becomes 1; for reals 1 itself, so that they stay as they are.
  package let scale: Double
  /// Of reals, once there are training examples to fit it to; nil for others.
  package private(set) var standardization: Standardization?

  package struct Refusal: Error, Sendable, Equatable {
    package let detail: String
  }

  /// The preparation that fits a training set, or why that binarization does not fit it.
  package static func fitting(
    _ dataset: DatasetDescription, binarization: Binarization, pictures: PictureForm = PictureForm()
  ) -> Result<Preparation, Refusal> {
    guard let shape = pictures.shape(of: dataset.shape) else {
      return .failure(Refusal(detail: pictures.refusal(of: dataset.shape)?.detail ?? ""))
    }
    let maximum = Double(dataset.maximum)
    guard binarization == .none || Double(dataset.minimum) >= 0 else {
      let least = "the least of this dataset is \(dataset.minimum)"
      return .failure(Refusal(detail: "must be \"none\" where values are below 0 (\(least)); was \"\(binarization)\""))
    }
    let kind: ModelInput.Kind
    let scale: Double
    if dataset.bits || binarization != .none {
      kind = .bits
      scale = maximum > 0 ? maximum : 1
    } else if case .image = dataset.shape, dataset.element == .uint8 {
      kind = .grey256
      scale = 255
    } else {
      kind = .real
      scale = 1
    }
    return .success(Preparation(shape: shape, kind: kind, binarization: binarization, pictures: pictures, scale: scale))
  }

  /// The same with reals standardized on these examples.
  func standardized(on examples: [Int], of dataset: Dataset, admitsConstants: Bool) throws(Standardization.ConstantColumn) -> Preparation {
    guard kind == .real, !examples.isEmpty else { return self }
    var standardized = self
    standardized.standardization = try Standardization(of: examples, in: dataset, admitsConstants: admitsConstants)
    return standardized
  }

  /// The nats of examples in the units in which they were uploaded, from those of what the model sees.
  func natsInUnits(_ nats: Double) -> Double { nats + (standardization?.logVolume(dims: shape.dims) ?? 0) }

  /// What the model is made for.
  package var input: ModelInput {
    switch shape {
    case .image(let height, let width, let channels):
      ModelInput(dims: shape.dims, imageShape: .init(height: height, width: width, channels: channels), kind: kind)
    case .table: ModelInput(dims: shape.dims, kind: kind)
    }
  }

  /// Why a model so prepared can't take such examples; nil when it can.
  package func refusal(of dataset: DatasetDescription) -> String? {
    if pictures.shape(of: dataset.shape) != shape {
      return "must have examples of shape \(shape.json.serialized()) as the training set has; was \(dataset.shape.json.serialized())"
    }
    if kind == .bits, binarization == .none, !dataset.bits {
      return "must hold bits, as the training set does; holds values from \(dataset.minimum) to \(dataset.maximum)"
    }
    if kind == .bits, Double(dataset.minimum) < 0 { return "must hold no values below 0; the least is \(dataset.minimum)" }
    if kind == .bits, binarization != .none, !dataset.bits, isOnAnotherScale(dataset.maximum) {
      return "must be on the scale of the training set, whose values reach \(scale); the greatest here is \(dataset.maximum)"
    }
    if kind == .grey256, dataset.element != .uint8 { return "must hold whole numbers from 0 to 255, as the training set does" }
    return nil
  }

  /// Whether one set is of parts of 1 and the other is not, as pictures are 0…1 here and 0…255 there: every bit would come out the same.
  /// A set that is merely darker or brighter is not so far off; the factor is chosen between.
  private func isOnAnotherScale(_ maximum: Double) -> Bool {
    (scale <= 1) != (maximum <= 1) && max(scale, maximum) > 16 * min(scale, maximum)
  }
}

extension Preparation {
  /// Which draw of stochastic bits is meant.
  package enum Draw: Sendable {
    /// New bits in each epoch of training.
    case epoch(Int)
    /// The one draw of validation, evaluation and scoring.
    case fixed

    /// Where the draw is among the addresses of `Philox.Stream.data`.
    var step: Int {
      switch self {
      case .fixed: 0
      case .epoch(let epoch): epoch + 1
      }
    }
  }

  /// The examples as the model sees them, `[indices, dims]`.
  /// - Parameter randomness: of the training run, for stochastic bits.
  package func tensor(of indices: [Int], in dataset: Dataset, draw: Draw, using randomness: Philox) -> Tensor {
    let dims = shape.dims
    var uploaded = [Float](repeating: 0, count: indices.count * dataset.shape.dims)
    var span = uploaded.mutableSpan
    dataset.copyExamples(indices, into: &span)
    let (isBits, maximum) = (dataset.description.bits, dataset.description.maximum)
    var scalars = pictures.apply(to: uploaded, of: dataset.shape, areBytes: dataset.description.element == .uint8)
    switch (kind, binarization) {
    case (.real, _): standardization?.standardize(&scalars, dims: dims)
    case (.grey256, _): Self.multiply(&scalars, by: 1 / Float(scale))
    // Bits are bits on any scale: those of a set in {0, 255} fit a model of {0, 1}. What lies between two of them is the nearer one.
    case (.bits, _) where isBits || binarization == .none: Self.threshold(&scalars, at: max(Float(maximum / 2), .leastNonzeroMagnitude))
    case (.bits, .stochastic): drawBits(&scalars, indices: indices, step: draw.step, using: randomness)
    case (.bits, _): Self.threshold(&scalars, at: max(Float(scale / 2), .leastNonzeroMagnitude))
    }
    return Tensor(shape: [indices.count, dims], scalars: scalars)
  }

  private static func multiply(_ scalars: inout [Float], by factor: Float) {
    for index in scalars.indices { scalars[index] *= factor }
  }

  private static func threshold(_ scalars: inout [Float], at least: Float) {
    for index in scalars.indices { scalars[index] = scalars[index] >= least ? 1 : 0 }
  }

  /// A bit is 1 with probability value / scale: 0 never gives one, the maximum always does, for the uniform numbers are below 1.
  private func drawBits(_ scalars: inout [Float], indices: [Int], step: Int, using randomness: Philox) {
    let uniforms = Tensor(uniform: shape.dims, .data, step: step, examples: indices, using: randomness).scalars
    let divisor = Float(scale)
    for index in scalars.indices { scalars[index] = uniforms[index] < scalars[index] / divisor ? 1 : 0 }
  }
}

extension Preparation {
  package var json: JSONValue {
    var json: JSONObject = [
      "shape": shape.json, "kind": .string(kind.rawValue), "binarize": .string(binarization.rawValue), "scale": .number(scale),
    ]
    for (field, value) in pictures.fields { json[field] = value }
    if let standardization { json["standardization"] = standardization.json }
    return .object(json)
  }

  package init?(json: JSONValue) {
    guard let shape = json["shape"].flatMap(ExampleShape.init(json:)),
      let kind = json["kind"]?.string.flatMap(ModelInput.Kind.init),
      let binarization = json["binarize"]?.string.flatMap(Binarization.init),
      let scale = json["scale"]?.number, scale > 0, scale.isFinite, let pictures = PictureForm(json: json)
    else { return nil }
    self.shape = shape
    self.kind = kind
    self.binarization = binarization
    self.pictures = pictures
    self.scale = scale
    if let json = json["standardization"] {
      guard let standardization = Standardization(json: json, dims: shape.dims) else { return nil }
      self.standardization = standardization
    }
  }
}
