import Evaluation
import Files
import Models
import Tensors

/// A model out of a checkpoint, ready to sample and score.
struct LoadedModel: Sendable {
  let model: any GenerativeModel
  let family: String
  /// How it tells likelihoods, the best first.
  let estimators: [LikelihoodEstimator]
  let preparation: Preparation
  let step: Int
  let seed: Int
  /// What it holds in memory.
  let bytes: Int

  init(checkpoint path: String, threads: Int) throws {
    let checkpoint: Checkpoint
    do {
      checkpoint = try Checkpoint(path: path)
      model = try checkpoint.makeModel(threads: ThreadTeam(count: threads), path: path)
    } catch {
      throw SamplerFailure(error.meansAbsent ? .absent : .checkpoint, error.detail)
    }
    family = checkpoint.family.name
    estimators = checkpoint.family.abilities.contains("score") ? checkpoint.family.estimators(checkpoint.configuration) : []
    preparation = checkpoint.preparation
    step = checkpoint.step
    seed = checkpoint.seed
    bytes = checkpoint.tensors.reduce(0) { $0 + $1.tensor.count * 4 }
  }
}

/// The models that a sampler has at hand, bounded in bytes; the one that was used longest ago goes first.
///
/// A checkpoint's file never changes under its name, so that a path is a key. A few models fit, so that a list serves.
struct LoadedModels {
  private struct Entry {
    let path: String
    let threads: Int
    let loaded: LoadedModel
    /// Made when it is first asked for: an estimate of ln Z takes seconds.
    var likelihood: (any Likelihood)?
  }

  /// In order of use, the last used last.
  private var entries: [Entry] = []
  private let bytesMax: Int

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  var bytes: Int { entries.reduce(0) { $0 + $1.loaded.bytes } }
  var count: Int { entries.count }

  /// The model of a checkpoint. One that alone is over the bound is loaded all the same, and kept until the next.
  mutating func model(checkpoint path: String, threads: Int) throws -> LoadedModel {
    if let index = entries.firstIndex(where: { $0.path == path && $0.threads == threads }) {
      let entry = entries.remove(at: index)
      entries.append(entry)
      return entry.loaded
    }
    let loaded = try LoadedModel(checkpoint: path, threads: threads)
    while !entries.isEmpty, bytes + loaded.bytes > bytesMax { entries.removeFirst() }
    entries.append(Entry(path: path, threads: threads, loaded: loaded))
    return loaded
  }

  /// How the examples of a checkpoint's model are scored; nil where it has no density.
  mutating func likelihood(checkpoint path: String, threads: Int) throws -> (any Likelihood)? {
    let loaded = try model(checkpoint: path, threads: threads)
    let last = entries.count - 1
    if entries[last].likelihood == nil, let best = loaded.estimators.first {
      entries[last].likelihood = LikelihoodSettings.score.likelihood(
        best, of: loaded.model, using: Philox(seed: UInt64(loaded.seed)))
    }
    return entries[last].likelihood
  }
}
