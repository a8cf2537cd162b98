import Files
import HTTP
import HTTPTypes
import JSON
import Jobs
import Models
import Tensors
import Training

/// Samples: drawn by a sampler child, the same bytes for the same model, seed and query.
extension FountService {
  /// A grid (PNG), an array (NPY) or, for tables, rows (JSON).
  func drawSamples(_ request: Request, _ responder: Responder) {
    answerLater(request, responder) { reply in
      let query = QueryReader(request)
      let picture = self.pictureParameters(query)
      let seed = query.integer("seed", in: 0...SamplerLimits.seedMax)
      let temperature = query.number("temperature", in: SamplerLimits.temperatures) ?? 1
      let (step, chain) = (query.step(), query.chain())
      try query.finish()
      let model = try self.model(named: request.parameters["id"])
      let format = try Self.form(of: model, request)
      let drawing = Drawing(
        path: request.path, model: model, step: step, selection: .first(count: picture.count, columns: picture.columns),
        seed: seed, temperature: temperature, scale: picture.scale, format: format, chain: try chain.length(for: model.family))
      try self.draw(drawing, request, responder, reply)
    }
  }

  /// The one sample `index` of a seed.
  func drawSample(_ request: Request, _ responder: Responder) {
    answerLater(request, responder) { reply in
      let query = QueryReader(request)
      let seed = query.integer("seed", in: 0...SamplerLimits.seedMax)
      let scale = query.integer("scale", in: 1...SamplerLimits.scaleMax) ?? 1
      let temperature = query.number("temperature", in: SamplerLimits.temperatures) ?? 1
      let (step, chain) = (query.step(), query.chain())
      try query.finish()
      let model = try self.model(named: request.parameters["id"])
      let text = request.parameters["index"] ?? ""
      guard let index = Int(text), (0...SamplerLimits.indexMax).contains(index), String(index) == text else {
        throw Problem(.notFound, "samples are numbered from 0 to \(SamplerLimits.indexMax); there is none \(text.prefix(60))")
      }
      guard model.isOfPictures else {
        throw Problem(.conflict, "the model's examples are rows of a table, of which there is no picture; ask samples for JSON or NPY")
      }
      let drawing = Drawing(
        path: request.path, model: model, step: step, selection: .one(index: index), seed: seed, temperature: temperature, scale: scale,
        format: .png, chain: try chain.length(for: model.family))
      try self.draw(drawing, request, responder, reply)
    }
  }

  /// What is drawn, from which of the model's checkpoints.
  private struct Drawing {
    let path: String
    let model: RecordedModel
    let step: Int?
    let selection: SamplerRequest.Selection
    let seed: Int?
    let temperature: Double
    let scale: Int
    let format: SamplerRequest.Format
    let chain: ChainLength?
  }

  /// - Parameter mayRetry: while a job runs, a newer checkpoint may take the place of the one that was asked for; then that one is. So is
  ///   another where the disk has damaged the checkpoint since it was looked at.
  private func draw(
    _ drawing: Drawing, _ request: Request, _ responder: Responder, _ reply: @escaping Reply, mayRetry: Bool = true
  ) throws {
    let checkpoint = try self.checkpoint(of: drawing.model, step: drawing.step)
    let seed = drawing.seed ?? Int.random(in: 0...SamplerLimits.seedMax)
    let samples = SamplerRequest.Samples(
      checkpoint: checkpoint.path, model: drawing.model.record.id, selection: drawing.selection, seed: seed,
      temperature: drawing.temperature, scale: drawing.scale, format: drawing.format, chain: drawing.chain)
    let headers = Self.headers(of: samples, at: checkpoint, request, isSeedDrawn: drawing.seed == nil)
    if let tag = headers[.eTag], EntityTag.isNamed(tag, in: request.headers[.ifNoneMatch]) {
      return reply(.success(Response(status: .notModified, headers: headers)))
    }
    let retry: Reply = { result in
      guard mayRetry, case .failure(let error as SamplerFailure) = result, [.absent, .checkpoint].contains(error.reason) else {
        return reply(result)
      }
      self.answerLater(request, responder) { try self.draw(drawing, request, responder, $0, mayRetry: false) }
    }
    ask(.sample(samples), responder, retry) { Response(sampled: $0, headers: headers) }
  }

  /// The strong tag is made of all that the bytes depend on, so that it is known before they are drawn.
  private static func headers(
    of samples: SamplerRequest.Samples, at checkpoint: ModelCheckpoint, _ request: Request, isSeedDrawn: Bool
  ) -> HTTPFields {
    var drawn = samples
    drawn.checkpoint = String(checkpoint.step)
    let identity = "\(SamplerRequest.sample(drawn).json.serialized()) \(version) \(Kernels.set)"
    var headers: HTTPFields = [
      .eTag: EntityTag.of(identity), .vary: "Accept",
      .cacheControl: checkpoint.isFinal ? "private, max-age=31536000, immutable" : "private, no-cache",
    ]
    // Without a seed the address does not say which picture it is; the one in Content-Location does.
    if isSeedDrawn {
      headers[.contentLocation] = request.address("seed", String(samples.seed))
      headers[.cacheControl] = "no-store"
    }
    return headers
  }
}
