import Files
import JSON
import Models
import Tensors

/// A model at one step of its training, with all that going on from there needs.
///
/// On disk it is a safetensors file. The tensors are the model's `trainingState`; the rest is in the metadata, each value as JSON text:
/// `family`, `configuration`, `preparation`, `optimizer`, `seed`, `progress`, `model`.
package struct Checkpoint: Sendable {
  package let model: String
  package let family: ModelFamily
  package let configuration: Configuration
  package let preparation: Preparation
  package let averagingDecay: Double
  package let weightDecay: Double
  package let seed: Int
  let progress: TrainingProgress
  package let tensors: [NamedTensor]

  package var step: Int { progress.step }

  /// A model of an older program may be read by a newer one; never the other way round.
  static let formatVersion = "1"
  /// Far above any model that trains on one machine, far below what an array's length may be.
  static let bytesMax = 1 << 36
}

/// Why a file is no checkpoint that we can use.
package enum CheckpointError: Error, CustomStringConvertible {
  case unreadable(Errno)
  case file(path: String, SafetensorsError)
  case metadata(path: String, key: String, detail: String)
  case tensors(path: String, RestoreError)
  /// The file that names a model's checkpoint.
  case state(path: String)

  package var description: String {
    switch self {
    case .unreadable(let error): "checkpoint: \(error)"
    case .file(let path, _), .metadata(let path, _, _), .tensors(let path, _): "checkpoint \(path): \(detail)"
    case .state(let path): "\(path): \(detail)"
    }
  }

  /// What is wrong, without where the file lies, for those who sent it.
  package var detail: String {
    switch self {
    case .unreadable(let error): error.reason
    case .file(_, let error): "\(error)"
    case .metadata(_, let key, let detail): "metadata \"\(key)\": \(detail)"
    case .tensors(_, let error): "\(error)"
    case .state: "is damaged: it names no checkpoint"
    }
  }

  var path: String {
    switch self {
    case .unreadable(let error): error.path
    case .file(let path, _), .metadata(let path, _, _), .tensors(let path, _), .state(let path): path
    }
  }

  /// There is no such file.
  package var meansAbsent: Bool { if case .unreadable(let error) = self { error.meansAbsent } else { false } }
}

extension Checkpoint {
  /// The model of a checkpoint, ready to train on, sample or score.
  /// - Parameter weightDecay: nil for the one that it was trained with.
  func makeModel(threads: ThreadTeam, path: String, weightDecay: Double? = nil) throws(CheckpointError) -> any GenerativeModel {
    let optimizer = OptimizerSettings(averagingDecay: averagingDecay, weightDecay: weightDecay ?? self.weightDecay)
    var model = family.make(configuration, preparation.input, optimizer, UInt64(seed), threads)
    let named = Dictionary(tensors.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    do {
      try model.restore(named)
    } catch {
      throw .tensors(path: path, error)
    }
    return model
  }
}

extension OptimizerSettings {
  init(averagingDecay: Double, weightDecay: Double) {
    self = .adam
    self.averagingDecay = Float(averagingDecay)
    self.weightDecay = Float(weightDecay)
  }
}

extension Checkpoint {
  func write(to path: String) throws(Errno) {
    try Disk.replace(path, with: Safetensors(metadata: metadata, tensors: tensors).encoded())
  }

  private var metadata: [String: String] {
    let values: JSONObject = [
      "format": .string(Self.formatVersion), "model": .string(model), "family": .string(family.name), "configuration": configuration.json,
      "preparation": preparation.json,
      "optimizer": ["name": "adam", "weight_averaging": .number(averagingDecay), "weight_decay": .number(weightDecay)],
      "seed": .integer(seed), "progress": progress.json,
    ]
    var texts: [String: String] = [:]
    for (key, value) in values { texts[key] = value.string ?? value.serialized() }
    return texts
  }

  package init(path: String) throws(CheckpointError) {
    let bytes: [UInt8]
    do {
      bytes = try Disk.read(path, bytesMax: Self.bytesMax)
    } catch {
      throw .unreadable(error)
    }
    try self.init(bytes, path: path)
  }

  /// - Parameters:
  ///   - path: for messages.
  ///   - requiresDigest: false for a file that another program may have written.
  package init(_ bytes: [UInt8], path: String, requiresDigest: Bool = true) throws(CheckpointError) {
    let file: Safetensors
    do {
      file = try Safetensors(bytes, requiresDigest: requiresDigest)
    } catch {
      throw .file(path: path, error)
    }
    let metadata = CheckpointMetadata(texts: file.metadata, path: path)
    let version = try metadata.text("format")
    guard version == Self.formatVersion else {
      throw metadata.error("format", "\(version), where this program reads \(Self.formatVersion)")
    }
    model = try metadata.text("model")
    let name = try metadata.text("family")
    guard let family = ModelFamily.named(name) else { throw metadata.error("family", "no family is named \"\(name)\"") }
    self.family = family
    configuration = try metadata.configuration(of: family)
    preparation = try metadata.value("preparation", Preparation.init(json:))
    if let fault = family.refusal(configuration, preparation.input) { throw metadata.error("configuration", fault.detail) }
    averagingDecay = try metadata.value("optimizer") { $0["weight_averaging"]?.number }
    weightDecay = try metadata.value("optimizer") { $0["weight_decay"]?.number }
    seed = try metadata.value("seed") { $0.integer.flatMap { $0 >= 0 ? $0 : nil } }
    progress = try metadata.value("progress", TrainingProgress.init(json:))
    tensors = file.tensors
  }
}

/// The texts of a checkpoint's metadata, read with a reason where one does not serve.
private struct CheckpointMetadata {
  let texts: [String: String]
  let path: String

  func error(_ key: String, _ detail: String) -> CheckpointError { .metadata(path: path, key: key, detail: detail) }

  func text(_ key: String) throws(CheckpointError) -> String {
    guard let text = texts[key] else { throw error(key, "absent") }
    return text
  }

  func json(_ key: String) throws(CheckpointError) -> JSONValue {
    let text = try text(key)
    do {
      return try JSONValue(parsing: text)
    } catch {
      throw self.error(key, error.description)
    }
  }

  func value<Value>(_ key: String, _ read: (JSONValue) -> Value?) throws(CheckpointError) -> Value {
    guard let value = read(try json(key)) else { throw error(key, "not as this program writes it") }
    return value
  }

  func configuration(of family: ModelFamily) throws(CheckpointError) -> Configuration {
    let faults = Faults()
    let configuration = family.schema.resolve(FieldReader(try json("configuration"), faults: faults))
    guard faults.isEmpty else {
      throw error("configuration", faults.all.map { "\($0.pointer): \($0.detail)" }.joined(separator: "; "))
    }
    return configuration
  }
}
