import HTTP
import HTTPTypes
import Models
import Training

/// Whether samples are new: each beside the training example that is nearest to it.
extension FountService {
  /// Pairs as a grid (PNG); or, for tables and who asks for it, the examples' numbers in the dataset and their distances (JSON).
  func drawNeighbours(_ request: Request, _ responder: Responder) {
    answerLater(request, responder) { reply in
      let query = QueryReader(request)
      let picture = self.pictureParameters(query)
      let seed = query.integer("seed", in: 0...SamplerLimits.seedMax) ?? 0
      let temperature = query.number("temperature", in: SamplerLimits.temperatures) ?? 1
      let (step, chainQuery) = (query.step(), query.chain())
      try query.finish()
      let model = try self.model(named: request.parameters["id"])
      let chain = try chainQuery.length(for: model.family)
      guard let id = model.record.dataset, let dataset = try self.record.dataset(id) else {
        throw Problem(.conflict, "the dataset that the model was trained on is not here")
      }
      let file = try self.file(of: dataset)
      let format = try Self.form(among: model.isOfPictures ? ["image/png", "application/json"] : ["application/json"], request)
      let fraction = model.record.description["training"]?["validation_fraction"]?.number ?? 0
      try self.answer(of: model, step: step, request, responder, reply) { path in
        let samples = SamplerRequest.Samples(
          checkpoint: path, model: model.record.id, selection: .first(count: picture.count, columns: picture.columns), seed: seed,
          temperature: temperature, scale: picture.scale, format: format, chain: chain)
        return .neighbours(.init(samples: samples, dataset: file, validationFraction: fraction))
      }
    }
  }
}
