import Datasets
import Evaluation
import JSON
import Models
import Tensors

/// Scores every example of a dataset.
struct ScoreAnswer {
  let request: SamplerRequest.Score
  let loaded: LoadedModel
  let likelihood: (any Likelihood)?

  private static let batch = 500

  func frame() throws -> SamplerFrame {
    guard let likelihood else {
      throw SamplerFailure(.unsupported, "the family \"\(loaded.family)\" has no density, so that it can't score examples")
    }
    if let refusal = loaded.preparation.refusal(of: request.dataset.description) {
      throw SamplerFailure(.unsupported, "the examples \(refusal)")
    }
    let dataset = try request.dataset.openForRequest()
    // Stochastic bits are drawn by the model's own seed: the same examples in the same order always score the same.
    let randomness = Philox(seed: UInt64(loaded.seed))
    let nats = LikelihoodEvaluation.nats(of: dataset.count, dims: loaded.preparation.shape.dims, by: likelihood, batch: Self.batch) {
      range in
      loaded.preparation.tensor(of: Array(range), in: dataset, draw: .fixed, using: randomness)
    }
    let scores = nats?.map(loaded.preparation.natsInUnits) ?? []
    var settings: JSONObject = ["step": .integer(loaded.step), "binarize": .string(loaded.preparation.binarization.rawValue)]
    for (key, value) in likelihood.settings { settings[key] = value }
    let answer: JSONValue = [
      "estimator": .string(likelihood.estimator.rawValue), "settings": .object(settings),
      "nats": .array(scores.map { JSONValue(Optional($0)) }),
      "bits_per_dim": .array(
        scores.map { JSONValue(Optional(LikelihoodEvaluation.bitsPerDim(nats: $0, dims: loaded.preparation.shape.dims))) }),
    ]
    let header: JSONValue = [
      "content_type": "application/json", "model": .string(request.model), "step": .integer(loaded.step), "count": .integer(scores.count),
    ]
    return SamplerFrame(header: header, payload: answer.serializedBytes())
  }
}
