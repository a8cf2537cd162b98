import JSON

/// What is asked of families that do more than draw: of examples, of latents, of what is missing.
extension SamplerRequest {
  /// How an answer of examples is drawn or written.
  package struct Form: Sendable, Equatable {
    package var format: Format
    package var columns: Int?
    package var scale = 1

    package init(_ format: Format, columns: Int? = nil, scale: Int = 1) {
      (self.format, self.columns, self.scale) = (format, columns, scale)
    }
  }

  /// Examples of a decoded dataset, of which a model makes something.
  package struct Examples: Sendable, Equatable {
    package var checkpoint: String
    package var model: String
    package var dataset: DatasetFile
    package var form: Form

    package init(checkpoint: String, model: String, dataset: DatasetFile, form: Form) {
      (self.checkpoint, self.model, self.dataset, self.form) = (checkpoint, model, dataset, form)
    }
  }

  /// The way through the latents from the first sample of one seed to that of another; or the field between two such ways.
  package struct Interpolation: Sendable, Equatable {
    package var checkpoint: String
    package var model: String
    package var fromSeed: Int
    package var toSeed: Int
    /// Both ends counted in.
    package var steps: Int
    /// The ways below the first, if any.
    package var lower: Lower?
    package var form: Form

    /// Where the last of several ways goes.
    package struct Lower: Sendable, Equatable {
      package var fromSeed: Int
      package var toSeed: Int
      /// Ways, the first and the last counted in.
      package var rows: Int

      package init(fromSeed: Int, toSeed: Int, rows: Int) { (self.fromSeed, self.toSeed, self.rows) = (fromSeed, toSeed, rows) }
    }

    package init(checkpoint: String, model: String, fromSeed: Int, toSeed: Int, steps: Int, lower: Lower? = nil, form: Form) {
      (self.checkpoint, self.model) = (checkpoint, model)
      (self.fromSeed, self.toSeed, self.steps, self.lower, self.form) = (fromSeed, toSeed, steps, lower, form)
    }
  }

  /// Samples, and of each the example of a dataset that is nearest to it.
  package struct Neighbours: Sendable, Equatable {
    package var samples: Samples
    package var dataset: DatasetFile
    /// The share of the dataset that validated and did not train, and does not count here.
    package var validationFraction: Double

    package init(samples: Samples, dataset: DatasetFile, validationFraction: Double) {
      (self.samples, self.dataset, self.validationFraction) = (samples, dataset, validationFraction)
    }
  }

  /// Draws of what is missing of one example.
  package struct Completion: Sendable, Equatable {
    package var checkpoint: String
    package var model: String
    /// One example.
    package var image: DatasetFile
    /// Of its shape, or of one channel: what is not black is drawn.
    package var mask: DatasetFile
    package var count: Int
    package var seed: Int
    package var temperature: Double
    package var form: Form

    package init(
      checkpoint: String, model: String, image: DatasetFile, mask: DatasetFile, count: Int, seed: Int, temperature: Double, form: Form
    ) {
      (self.checkpoint, self.model, self.image, self.mask) = (checkpoint, model, image, mask)
      (self.count, self.seed, self.temperature, self.form) = (count, seed, temperature, form)
    }
  }

  /// What each hidden unit looks for.
  package struct Filters: Sendable, Equatable {
    package var checkpoint: String
    package var model: String
    package var count: Int
    package var form: Form

    package init(checkpoint: String, model: String, count: Int, form: Form) {
      (self.checkpoint, self.model, self.count, self.form) = (checkpoint, model, count, form)
    }
  }

  /// One pass of a model as an ONNX file.
  package struct Graph: Sendable, Equatable {
    package var checkpoint: String
    package var model: String

    package init(checkpoint: String, model: String) { (self.checkpoint, self.model) = (checkpoint, model) }
  }
}

// MARK: On the wire

extension SamplerRequest.Form {
  fileprivate func put(into object: inout JSONObject) {
    object["format"] = .string(format.rawValue)
    object["columns"] = JSONValue(columns)
    object["scale"] = .integer(scale)
  }

  fileprivate init(reader: FieldReader) {
    let format = reader.string("format", oneOf: SamplerRequest.Format.allCases.map(\.rawValue)).flatMap(SamplerRequest.Format.init)
    self.init(
      format ?? .png, columns: reader.integer("columns", in: 1...SamplerLimits.countMax),
      scale: reader.integer("scale", in: 1...SamplerLimits.scaleMax) ?? 1)
  }
}

extension SamplerRequest.Examples {
  func json(_ verb: String) -> JSONValue {
    var object: JSONObject = [
      "do": .string(verb), "checkpoint": .string(checkpoint), "model": .string(model), "dataset": dataset.json,
    ]
    form.put(into: &object)
    return .object(object)
  }

  init?(reader: FieldReader) {
    reader.require(["checkpoint", "model", "dataset"])
    let (checkpoint, model) = (reader.string("checkpoint"), reader.string("model"))
    let dataset = reader.object("dataset").flatMap { DatasetFile(reader: $0) }
    let form = SamplerRequest.Form(reader: reader)
    guard let checkpoint, let model, let dataset else { return nil }
    self.init(checkpoint: checkpoint, model: model, dataset: dataset, form: form)
  }
}

extension SamplerRequest.Interpolation {
  var json: JSONValue {
    var object: JSONObject = [
      "do": "interpolate", "checkpoint": .string(checkpoint), "model": .string(model), "from_seed": .integer(fromSeed),
      "to_seed": .integer(toSeed), "steps": .integer(steps),
    ]
    if let lower {
      object["lower"] = ["from_seed": .integer(lower.fromSeed), "to_seed": .integer(lower.toSeed), "rows": .integer(lower.rows)]
    }
    form.put(into: &object)
    return .object(object)
  }

  init?(reader: FieldReader) {
    reader.require(["checkpoint", "model", "from_seed", "to_seed", "steps"])
    let (checkpoint, model) = (reader.string("checkpoint"), reader.string("model"))
    let from = reader.integer("from_seed", in: 0...SamplerLimits.seedMax)
    let to = reader.integer("to_seed", in: 0...SamplerLimits.seedMax)
    let steps = reader.integer("steps", in: 2...SamplerLimits.countMax)
    let lower = reader.object("lower").flatMap { Lower(reader: $0) }
    let form = SamplerRequest.Form(reader: reader)
    guard let checkpoint, let model, let from, let to, let steps else { return nil }
    self.init(checkpoint: checkpoint, model: model, fromSeed: from, toSeed: to, steps: steps, lower: lower, form: form)
  }
}

extension SamplerRequest.Interpolation.Lower {
  fileprivate init?(reader: FieldReader) {
    reader.require(["from_seed", "to_seed", "rows"])
    let from = reader.integer("from_seed", in: 0...SamplerLimits.seedMax)
    let to = reader.integer("to_seed", in: 0...SamplerLimits.seedMax)
    let rows = reader.integer("rows", in: 2...SamplerLimits.countMax)
    guard let from, let to, let rows else { return nil }
    self.init(fromSeed: from, toSeed: to, rows: rows)
  }
}

extension SamplerRequest.Neighbours {
  var json: JSONValue {
    [
      "do": "neighbours", "samples": samples.json, "dataset": dataset.json, "validation_fraction": .number(validationFraction),
    ]
  }

  init?(reader: FieldReader) {
    reader.require(["samples", "dataset", "validation_fraction"])
    let samples = reader.object("samples").flatMap { SamplerRequest.Samples(reader: $0) }
    let dataset = reader.object("dataset").flatMap { DatasetFile(reader: $0) }
    let fraction = reader.number("validation_fraction", .range(0...0.9))
    guard let samples, let dataset, let fraction else { return nil }
    self.init(samples: samples, dataset: dataset, validationFraction: fraction)
  }
}

extension SamplerRequest.Completion {
  var json: JSONValue {
    var object: JSONObject = [
      "do": "complete", "checkpoint": .string(checkpoint), "model": .string(model), "image": image.json, "mask": mask.json,
      "count": .integer(count), "seed": .integer(seed), "temperature": .number(temperature),
    ]
    form.put(into: &object)
    return .object(object)
  }

  init?(reader: FieldReader) {
    reader.require(["checkpoint", "model", "image", "mask", "count", "seed"])
    let (checkpoint, model) = (reader.string("checkpoint"), reader.string("model"))
    let image = reader.object("image").flatMap { DatasetFile(reader: $0) }
    let mask = reader.object("mask").flatMap { DatasetFile(reader: $0) }
    let count = reader.integer("count", in: 1...SamplerLimits.countMax)
    let seed = reader.integer("seed", in: 0...SamplerLimits.seedMax)
    let temperature = reader.number("temperature", .range(SamplerLimits.temperatures)) ?? 1
    let form = SamplerRequest.Form(reader: reader)
    guard let checkpoint, let model, let image, let mask, let count, let seed else { return nil }
    self.init(
      checkpoint: checkpoint, model: model, image: image, mask: mask, count: count, seed: seed, temperature: temperature, form: form)
  }
}

extension SamplerRequest.Filters {
  var json: JSONValue {
    var object: JSONObject = [
      "do": "filters", "checkpoint": .string(checkpoint), "model": .string(model), "count": .integer(count),
    ]
    form.put(into: &object)
    return .object(object)
  }

  init?(reader: FieldReader) {
    reader.require(["checkpoint", "model", "count"])
    let (checkpoint, model) = (reader.string("checkpoint"), reader.string("model"))
    let count = reader.integer("count", in: 1...SamplerLimits.countMax)
    let form = SamplerRequest.Form(reader: reader)
    guard let checkpoint, let model, let count else { return nil }
    self.init(checkpoint: checkpoint, model: model, count: count, form: form)
  }
}

extension SamplerRequest.Graph {
  init?(reader: FieldReader) {
    reader.require(["checkpoint", "model"])
    guard let checkpoint = reader.string("checkpoint"), let model = reader.string("model") else { return nil }
    self.init(checkpoint: checkpoint, model: model)
  }
}
