import HTTP
import HTTPTypes
import Models
import Tensors
import Training

/// What there is to see inside a model: the way between two samples' latents, what each hidden unit looks for, and the whole as a graph.
extension FountService {
  /// Pictures along the way from the first sample of one seed to that of another, in a row; with `rows`, a field whose last row is the way
  /// between two more.
  func interpolate(_ request: Request, _ responder: Responder) {
    answerLater(request, responder) { reply in
      let query = QueryReader(request)
      let from = query.integer("from_seed", in: 0...SamplerLimits.seedMax) ?? 0
      let to = query.integer("to_seed", in: 0...SamplerLimits.seedMax) ?? 1
      let steps = query.integer("steps", in: 2...self.configuration.samplesMax) ?? 8
      let lower = self.lowerWay(query, steps: steps)
      let columns = query.integer("columns", in: 1...steps)
      let scale = query.integer("scale", in: 1...SamplerLimits.scaleMax) ?? 1
      let step = query.step()
      try query.finish()
      let model = try self.model(named: request.parameters["id"])
      try model.require("interpolate", "has no latents to go through")
      let form = SamplerRequest.Form(try Self.form(of: model, request), columns: columns, scale: scale)
      try self.answer(of: model, step: step, request, responder, reply) { path in
        .interpolate(.init(checkpoint: path, model: model.record.id, fromSeed: from, toSeed: to, steps: steps, lower: lower, form: form))
      }
    }
  }

  private func lowerWay(_ query: QueryReader, steps: Int) -> SamplerRequest.Interpolation.Lower? {
    let rows = query.integer("rows", in: 1...max(1, configuration.samplesMax / steps)) ?? 1
    let from = query.integer("lower_from_seed", in: 0...SamplerLimits.seedMax)
    let to = query.integer("lower_to_seed", in: 0...SamplerLimits.seedMax)
    return rows > 1 ? .init(fromSeed: from ?? 2, toSeed: to ?? 3, rows: rows) : nil
  }

  /// A grid of hidden units' weights, each from its least in black to its greatest in white.
  func drawFilters(_ request: Request, _ responder: Responder) {
    answerLater(request, responder) { reply in
      let query = QueryReader(request)
      let count = query.integer("count", in: 1...self.configuration.samplesMax) ?? 100
      let columns = query.integer("columns", in: 1...count)
      let scale = query.integer("scale", in: 1...SamplerLimits.scaleMax) ?? 1
      let step = query.step()
      try query.finish()
      let model = try self.model(named: request.parameters["id"])
      guard model.family.hasFilters else { throw Problem(.conflict, "the family \(model.family.name) has no filters to show") }
      let form = SamplerRequest.Form(
        try Self.form(among: ["image/png", "application/x-npy"], request), columns: columns, scale: scale)
      guard form.format == .npy || model.isOfPictures else {
        throw Problem(.conflict, "the model's examples are rows of a table, of which there is no picture; ask for application/x-npy")
      }
      try self.answer(of: model, step: step, request, responder, reply) { path in
        .filters(.init(checkpoint: path, model: model.record.id, count: count, form: form))
      }
    }
  }

  /// One pass, or one step, as a graph that ONNX's runtimes compute; noise is an input.
  func exportGraph(_ request: Request, _ responder: Responder) {
    answerLater(request, responder) { reply in
      let query = QueryReader(request)
      let step = query.step()
      try query.finish()
      let model = try self.model(named: request.parameters["id"])
      try self.answer(of: model, step: step, request, responder, reply) { .graph(.init(checkpoint: $0, model: model.record.id)) }
    }
  }

  /// Asks a sampler for what depends on a checkpoint and the question alone, so that its tag is known beforehand.
  func answer(
    of model: RecordedModel, step: Int?, _ request: Request, _ responder: Responder, _ reply: @escaping Reply,
    _ question: (_ checkpoint: String) -> SamplerRequest
  ) throws {
    let checkpoint = try self.checkpoint(of: model, step: step)
    let identity = "\(question(String(checkpoint.step)).json.serialized()) \(Self.version) \(Kernels.set)"
    let headers: HTTPFields = [
      .eTag: EntityTag.of(identity), .vary: "Accept",
      .cacheControl: checkpoint.isFinal ? "private, max-age=31536000, immutable" : "private, no-cache",
    ]
    if let tag = headers[.eTag], EntityTag.isNamed(tag, in: request.headers[.ifNoneMatch]) {
      return reply(.success(Response(status: .notModified, headers: headers)))
    }
    ask(question(checkpoint.path), responder, reply) { Response(sampled: $0, headers: headers) }
  }
}
