import Files
import JSON
import Models
import Tensors

/// Makes a model of a file that someone sent: reads it as strictly as a file can be read, makes the model that it tells of, and writes what
/// that model is, not what the file was, as a model's folder.
struct ImportAnswer {
  let request: SamplerRequest.Import

  /// Far more than any run has, far less than what sums of steps could overflow by.
  private static let stepMax = 1 << 53

  func frame() throws -> SamplerFrame {
    do {
      return SamplerFrame(header: try imported())
    } catch let error as CheckpointError {
      throw SamplerFailure(.refused, error.detail)
    }
  }

  private func imported() throws -> JSONValue {
    let bytes: [UInt8]
    do {
      bytes = try Disk.read(request.file, bytesMax: Checkpoint.bytesMax)
    } catch {
      throw CheckpointError.unreadable(error)
    }
    let sent = try Checkpoint(bytes, path: request.file, requiresDigest: false)
    let model = try sent.makeModel(threads: ThreadTeam(count: 1), path: request.file)
    guard sent.step <= Self.stepMax else {
      throw SamplerFailure(.refused, "metadata \"progress\": a step of \(sent.step); at most \(Self.stepMax) are admitted")
    }
    for named in model.weights where !named.tensor.scalars.allSatisfy(\.isFinite) {
      throw SamplerFailure(.refused, "tensor \"\(named.name)\": holds what is no finite number")
    }
    let checkpoint = Checkpoint(
      model: request.model, family: sent.family, configuration: sent.configuration, preparation: sent.preparation,
      averagingDecay: sent.averagingDecay, weightDecay: sent.weightDecay, seed: sent.seed, progress: sent.progress,
      tensors: model.trainingState)
    let folder = ModelFolder(path: request.folder)
    try Disk.createFolders(folder.path)
    let path = folder.checkpointPath(step: sent.step)
    try checkpoint.write(to: path)
    // What can't be said in JSON, as a number past all numbers, must not come to light when the model is first used.
    _ = try Checkpoint(path: path)
    try folder.write(.init(isFinished: true, step: sent.step, newestStep: sent.step, bestStep: nil))
    return [
      "family": .string(sent.family.name), "configuration": sent.configuration.json, "preparation": sent.preparation.json,
      "seed": .integer(sent.seed), "step": .integer(sent.step), "model": .string(sent.model), "metrics": metrics(of: sent, model),
    ]
  }

  private func metrics(of checkpoint: Checkpoint, _ model: any GenerativeModel) -> JSONValue {
    var metrics = JSONObject()
    metrics[model.lossIsNats ? "train_nats" : "train_loss"] = checkpoint.progress.trainNats.map { JSONValue($0) }
    if checkpoint.family.abilities.contains("score") {
      metrics["validation_nats"] = checkpoint.progress.validationNats.map { JSONValue($0) }
    }
    return .object(metrics)
  }
}
