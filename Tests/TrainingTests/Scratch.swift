import Datasets
import Files
import Foundation
import JSON
import Models
import Training

/// A folder of a test's own, removed with it. A class, for its end removes the folder.
final class Scratch {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "training-tests-" + UUID().uuidString
    try Disk.createFolders(path)
  }

  deinit { try? Disk.removeTree(path) }  // What stays behind is in the temporary folder.

  /// A decoded dataset of bytes in the folder.
  func dataset(_ name: String, shape: ExampleShape, bytes: [UInt8]) throws -> DatasetFile {
    let values = Set(bytes)
    let description = DatasetDescription(
      count: bytes.count / shape.dims, shape: shape, element: .uint8, format: "npy", minimum: Double(bytes.min() ?? 0),
      maximum: Double(bytes.max() ?? 0), mean: bytes.reduce(0) { $0 + Double($1) } / Double(bytes.count),
      bits: values.isSubset(of: [0, 1]) || values.isSubset(of: [0, 255]))
    let file = "\(path)/\(name).npy"
    try Disk.replace(file, with: NPY.encode(shape: description.dimensions, bytes: bytes))
    return DatasetFile(path: file, description: description)
  }

  /// The same of floats.
  func dataset(_ name: String, shape: ExampleShape, floats: [Float]) throws -> DatasetFile {
    let description = DatasetDescription(
      count: floats.count / shape.dims, shape: shape, element: .float32, format: "npy", minimum: Double(floats.min() ?? 0),
      maximum: Double(floats.max() ?? 0), mean: floats.reduce(0) { $0 + Double($1) } / Double(floats.count),
      bits: Set(floats).isSubset(of: [0, 1]))
    let file = "\(path)/\(name).npy"
    try Disk.replace(file, with: NPY.encode(shape: description.dimensions, floats: floats))
    return DatasetFile(path: file, description: description)
  }
}

/// Numbers that are the same in every run of the tests (Steele, Lea & Flood 2014, SplitMix64).
struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }
}

/// Pictures with something to learn: stripes that lean one way or the other, with some noise.
func stripes(_ count: Int, side: Int = 6, on: UInt8 = 1, seed: UInt64 = 7) -> [UInt8] {
  var numbers = SplitMix(state: seed)
  var bytes: [UInt8] = []
  for _ in 0..<count {
    let lean = Int(numbers.below(2)), phase = Int(numbers.below(3))
    for y in 0..<side {
      for x in 0..<side {
        let stripe = (x + (lean == 0 ? y : 2 * side - y) + phase) % 3 == 0
        let flips = numbers.below(20) == 0
        bytes.append(stripe != flips ? on : 0)
      }
    }
  }
  return bytes
}

let smallPicture = ExampleShape.image(height: 6, width: 6, channels: 1)

/// A request as a client would send it, over defaults that are quick.
func trainingRequest(
  _ members: JSONObject = [:], training: JSONObject = [:], dataset: DatasetFile, validation: DatasetFile? = nil
) throws -> TrainingRequest {
  var settings: JSONObject = ["epochs": 3, "batch_size": 16, "learning_rate": 0.01]
  for (key, value) in training { settings[key] = value }
  var body: JSONObject = ["family": "made", "configuration": ["hidden_layers": [16]], "seed": 3]
  if validation != nil { body["validation_dataset"] = "ds_other" }
  for (key, value) in members { body[key] = value }
  body["training"] = .object(settings)
  let faults = Faults()
  let reader = FieldReader(.object(body), faults: faults)
  _ = reader.string("validation_dataset")
  let request = TrainingRequest(reader: reader, dataset: dataset.description, validation: validation?.description)
  reader.finish()
  guard let request, faults.isEmpty else { throw UnexpectedFaults(all: faults.all) }
  return request
}

struct UnexpectedFaults: Error { let all: [Fault] }

/// A job's folder and its model's, as the pool lays them out.
struct Attempts {
  let folder: String
  let modelFolder: String

  init(_ scratch: Scratch, _ name: String) throws {
    folder = "\(scratch.path)/\(name)-job"
    modelFolder = "\(scratch.path)/\(name)-model"
    try Disk.createFolders(folder)
  }

  func write(_ job: TrainingJob) throws { try Disk.replace("\(folder)/job.json", with: job.json.serializedBytes()) }

  func writeTraining(
    _ members: JSONObject = [:], training: JSONObject = [:], dataset: DatasetFile, validation: DatasetFile? = nil
  ) throws {
    let request = try trainingRequest(members, training: training, dataset: dataset, validation: validation)
    try write(
      TrainingJob(
        id: "job_test", model: "mdl_test", modelFolder: modelFolder, training: request, dataset: dataset, validation: validation))
  }

  var hasResult: Bool { Disk.exists("\(folder)/result.json") }

  func result() throws -> JSONValue? { try JSONValue(parsing: try Disk.read("\(folder)/result.json", bytesMax: 1 << 20)) }

  /// Every line of the event log.
  func events() throws -> [JSONValue] {
    let bytes = try Disk.read("\(folder)/events.ndjson", bytesMax: 1 << 24)
    return try bytes.split(separator: UInt8(ascii: "\n")).map { try JSONValue(parsing: Array($0)) }
  }

  var model: ModelFolder { ModelFolder(path: modelFolder) }

  func finalCheckpoint() throws -> Checkpoint {
    guard let current = try model.current() else { throw NoCheckpoint() }
    return try Checkpoint(path: current.path)
  }

  struct NoCheckpoint: Error {}
}
