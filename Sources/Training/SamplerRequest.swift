import JSON
import Models

/// What the server asks of a sampler: the header of its frame as a value.
///
/// The answer's header is `{"content_type": …}` with the answer's bytes as payload, or `{"error": {"reason", "detail"}}`.
package enum SamplerRequest: Sendable, Equatable {
  case sample(Samples)
  case neighbours(Neighbours)
  case score(Score)
  case encode(Examples)
  case reconstruct(Examples)
  case interpolate(Interpolation)
  case complete(Completion)
  case filters(Filters)
  case graph(Graph)
  case preview(Preview)
  case importing(Import)

  /// Which pictures of a seed to draw.
  package enum Selection: Sendable, Equatable {
    /// Samples 0 ..< count as one grid (PNG) or stacked (NPY, JSON); columns nil is the least square.
    case first(count: Int, columns: Int?)
    /// The one sample of an index, the same whatever else was drawn.
    case one(index: Int)
  }

  package enum Format: String, Sendable, CaseIterable {
    case png, npy, json
  }

  package struct Samples: Sendable, Equatable {
    package var checkpoint: String
    package var model: String
    package var selection: Selection
    package var seed: Int
    package var temperature = 1.0
    package var scale = 1
    package var format: Format
    /// Of families that draw by chains; nil is their own.
    package var chain: ChainLength?
    package var threads = 1

    package init(
      checkpoint: String, model: String, selection: Selection, seed: Int, temperature: Double = 1, scale: Int = 1, format: Format,
      chain: ChainLength? = nil, threads: Int = 1
    ) {
      self.checkpoint = checkpoint
      self.model = model
      self.selection = selection
      self.seed = seed
      self.temperature = temperature
      self.scale = scale
      self.format = format
      self.chain = chain
      self.threads = threads
    }
  }

  /// `−ln p(x)` of each example of a decoded dataset.
  package struct Score: Sendable, Equatable {
    package var checkpoint: String
    package var model: String
    package var dataset: DatasetFile
    package var threads = 1

    package init(checkpoint: String, model: String, dataset: DatasetFile, threads: Int = 1) {
      self.checkpoint = checkpoint
      self.model = model
      self.dataset = dataset
      self.threads = threads
    }
  }

  /// A grid of a dataset's own examples, evenly strided, since files are often sorted by class.
  package struct Preview: Sendable, Equatable {
    package var dataset: DatasetFile
    package var count: Int
    package var columns: Int?
    package var scale = 1

    package init(dataset: DatasetFile, count: Int, columns: Int? = nil, scale: Int = 1) {
      self.dataset = dataset
      self.count = count
      self.columns = columns
      self.scale = scale
    }
  }

  /// Makes a model of a file that someone sent. The answer's header tells what it is; it has no payload.
  package struct Import: Sendable, Equatable {
    package var file: String
    /// The model's folder, which is made.
    package var folder: String
    package var model: String

    package init(file: String, folder: String, model: String) {
      self.file = file
      self.folder = folder
      self.model = model
    }
  }
}

extension SamplerRequest {
  /// The frame that carries the request.
  package var frame: SamplerFrame { SamplerFrame(header: json) }

  package var json: JSONValue {
    switch self {
    case .sample(let samples): samples.json
    case .neighbours(let asked): asked.json
    case .score(let score):
      .object([
        "do": "score", "checkpoint": .string(score.checkpoint), "model": .string(score.model), "dataset": score.dataset.json,
        "threads": .integer(score.threads),
      ])
    case .encode(let examples): examples.json("encode")
    case .reconstruct(let examples): examples.json("reconstruct")
    case .interpolate(let way): way.json
    case .complete(let completion): completion.json
    case .filters(let filters): filters.json
    case .graph(let asked): ["do": "graph", "checkpoint": .string(asked.checkpoint), "model": .string(asked.model)]
    case .preview(let preview):
      .object([
        "do": "preview", "dataset": preview.dataset.json, "count": .integer(preview.count),
        "columns": JSONValue(preview.columns), "scale": .integer(preview.scale),
      ])
    case .importing(let sent):
      ["do": "import", "file": .string(sent.file), "folder": .string(sent.folder), "model": .string(sent.model)]
    }
  }

  /// Reads a frame's header; every fault is recorded, and then the result is nil.
  init?(reader: FieldReader) {
    reader.require("do", "what to do")
    let verb = reader.string(
      "do",
      oneOf: [
        "sample", "neighbours", "score", "encode", "reconstruct", "interpolate", "complete", "filters", "graph", "preview", "import",
      ])
    let request: SamplerRequest? =
      switch verb {
      case "sample": Samples(reader: reader).map(SamplerRequest.sample)
      case "neighbours": Neighbours(reader: reader).map(SamplerRequest.neighbours)
      case "score": Score(reader: reader).map(SamplerRequest.score)
      case "encode": Examples(reader: reader).map(SamplerRequest.encode)
      case "reconstruct": Examples(reader: reader).map(SamplerRequest.reconstruct)
      case "interpolate": Interpolation(reader: reader).map(SamplerRequest.interpolate)
      case "complete": Completion(reader: reader).map(SamplerRequest.complete)
      case "filters": Filters(reader: reader).map(SamplerRequest.filters)
      case "graph": Graph(reader: reader).map(SamplerRequest.graph)
      case "preview": Preview(reader: reader).map(SamplerRequest.preview)
      case "import": Import(reader: reader).map(SamplerRequest.importing)
      default: nil
      }
    reader.finish()
    guard let request, reader.faults.isEmpty else { return nil }
    self = request
  }
}

extension SamplerRequest.Samples {
  var json: JSONValue {
    var object: JSONObject = [
      "do": "sample", "checkpoint": .string(checkpoint), "model": .string(model), "seed": .integer(seed),
      "temperature": .number(temperature), "scale": .integer(scale), "format": .string(format.rawValue), "threads": .integer(threads),
    ]
    if let chain {
      object["burn_in"] = .integer(chain.burnIn)
      object["thin"] = JSONValue(chain.thin)
    }
    switch selection {
    case .first(let count, let columns):
      object["count"] = .integer(count)
      object["columns"] = JSONValue(columns)
    case .one(let index): object["index"] = .integer(index)
    }
    return .object(object)
  }

  init?(reader: FieldReader) {
    reader.require(["checkpoint", "model", "seed", "format"])
    let index = reader.integer("index", in: 0...SamplerLimits.indexMax)
    let count = reader.integer("count", in: 1...SamplerLimits.countMax)
    let columns = reader.integer("columns", in: 1...SamplerLimits.countMax)
    let checkpoint = reader.string("checkpoint")
    let model = reader.string("model")
    let seed = reader.integer("seed", in: 0...SamplerLimits.seedMax)
    let temperature = reader.number("temperature", .range(SamplerLimits.temperatures)) ?? 1
    let scale = reader.integer("scale", in: 1...SamplerLimits.scaleMax) ?? 1
    let threads = reader.integer("threads", in: 1...TrainingLimits.threadsMax) ?? 1
    let thin = reader.integer("thin", in: ChainLength.thinRange)
    let chain = reader.integer("burn_in", in: ChainLength.burnInRange).map { ChainLength(burnIn: $0, thin: thin) }
    let format = reader.string("format", oneOf: SamplerRequest.Format.allCases.map(\.rawValue)).flatMap(SamplerRequest.Format.init)
    guard let checkpoint, let model, let seed, let format else { return nil }
    self.init(
      checkpoint: checkpoint, model: model, selection: index.map { .one(index: $0) } ?? .first(count: count ?? 16, columns: columns),
      seed: seed, temperature: temperature, scale: scale, format: format, chain: chain, threads: threads)
  }
}

extension SamplerRequest.Score {
  fileprivate init?(reader: FieldReader) {
    reader.require(["checkpoint", "model", "dataset"])
    let checkpoint = reader.string("checkpoint")
    let model = reader.string("model")
    let dataset = reader.object("dataset").flatMap { DatasetFile(reader: $0) }
    let threads = reader.integer("threads", in: 1...TrainingLimits.threadsMax) ?? 1
    guard let checkpoint, let model, let dataset else { return nil }
    self.init(checkpoint: checkpoint, model: model, dataset: dataset, threads: threads)
  }
}

extension SamplerRequest.Preview {
  fileprivate init?(reader: FieldReader) {
    reader.require(["dataset", "count"])
    let dataset = reader.object("dataset").flatMap { DatasetFile(reader: $0) }
    let count = reader.integer("count", in: 1...SamplerLimits.countMax)
    let columns = reader.integer("columns", in: 1...SamplerLimits.countMax)
    let scale = reader.integer("scale", in: 1...SamplerLimits.scaleMax) ?? 1
    guard let dataset, let count else { return nil }
    self.init(dataset: dataset, count: count, columns: columns, scale: scale)
  }
}

extension SamplerRequest.Import {
  fileprivate init?(reader: FieldReader) {
    reader.require(["file", "folder", "model"])
    guard let file = reader.string("file"), let folder = reader.string("folder"), let model = reader.string("model") else { return nil }
    self.init(file: file, folder: folder, model: model)
  }
}

/// The bounds of a sampling request, as the HTTP interface states them.
package enum SamplerLimits {
  package static let countMax = 1024
  package static let scaleMax = 16
  /// An address of randomness, of 32 bits.
  package static let indexMax = Int(UInt32.max) - 1
  package static let seedMax = (1 << 53) - 1
  /// 1 draws from the model itself; chosen so that a logit divided by it stays finite.
  package static let temperatures = 0.01...100.0
}
