import Datasets
import Files
import HTTP
import HTTPTypes
import JSON
import Models
import Training

/// What a model makes of examples that a request brings, in any format of a dataset: scores, features, reconstructions.
extension FountService {
  private static let png = "image/png"
  private static let npy = "application/x-npy"
  private static let json = "application/json"

  /// `−ln p(x)` of each example.
  func score(_ request: Request, _ responder: Responder) {
    answerLater(request, responder) { reply in
      let asked = try self.examplesAsked(request, ability: "score", "has no density: it can't score")
      try self.ask(asked, request, responder, reply) { checkpoint, file in
        .score(.init(checkpoint: checkpoint.path, model: asked.model.record.id, dataset: file))
      }
    }
  }

  /// Features or latents of each example, as an array (NPY) or JSON.
  func encode(_ request: Request, _ responder: Responder) {
    answerLater(request, responder) { reply in
      let asked = try self.examplesAsked(request, ability: "encode", "tells examples by no features")
      let form = try Self.form(among: [Self.npy, Self.json], request)
      try self.ask(asked, request, responder, reply) { checkpoint, file in
        .encode(.init(checkpoint: checkpoint.path, model: asked.model.record.id, dataset: file, form: .init(form)))
      }
    }
  }

  /// A grid in which each example stands beside what its latents make of it again (PNG); those alone as an array (NPY) or, of tables, JSON.
  func reconstruct(_ request: Request, _ responder: Responder) {
    answerLater(request, responder) { reply in
      var (columns, scale): (Int?, Int) = (nil, 1)
      let asked = try self.examplesAsked(request, ability: "reconstruct", "has no latents to reconstruct examples from") { query in
        columns = query.integer("columns", in: 1...SamplerLimits.countMax)
        scale = query.integer("scale", in: 1...SamplerLimits.scaleMax) ?? 1
      }
      let form = SamplerRequest.Form(try Self.form(of: asked.model, request), columns: columns, scale: scale)
      try self.ask(asked, request, responder, reply) { checkpoint, file in
        .reconstruct(.init(checkpoint: checkpoint.path, model: asked.model.record.id, dataset: file, form: form))
      }
    }
  }

  /// What a request asks of a model that has an ability.
  struct ExamplesAsked {
    let model: RecordedModel
    let step: Int?
    let options: DecodeOptions
  }

  /// - Parameters:
  ///   - lack: what a family without the ability is told to be without.
  ///   - more: reads further parameters.
  private func examplesAsked(
    _ request: Request, ability: String, _ lack: String, _ more: (QueryReader) -> Void = { _ in }
  ) throws -> ExamplesAsked {
    let query = QueryReader(request)
    let options = query.decodeOptions()
    let step = query.step()
    more(query)
    try query.finish()
    let model = try self.model(named: request.parameters["id"])
    try model.require(ability, lack)
    return ExamplesAsked(model: model, step: step, options: options)
  }

  /// Decodes the body's examples, and asks a sampler about them.
  private func ask(
    _ asked: ExamplesAsked, _ request: Request, _ responder: Responder, _ reply: @escaping Reply,
    _ question: @escaping @Sendable (ModelCheckpoint, DatasetFile) -> SamplerRequest
  ) throws {
    let checkpoint = try self.checkpoint(of: asked.model, step: asked.step)
    let upload = try Self.examples(in: request)
    decoders.decode(upload.path, into: "\(folder.incoming)/\(request.id)", asked.options) { result in
      do {
        let decoded = try result.get()
        let description = try decoded.description()
        if let refusal = asked.model.preparation.refusal(of: description) {
          throw Problem.unprocessable([Fault(pointer: "", detail: "the examples \(refusal)")])
        }
        let file = DatasetFile(path: decoded.examples, description: description)
        // The sampler reads the decoded examples until it has answered.
        self.ask(question(checkpoint, file), responder, reply) { frame in
          withExtendedLifetime(decoded) { Response(sampled: frame, headers: [.cacheControl: "no-store"]) }
        }
      } catch {
        reply(.failure(error))
      }
    }
  }

  /// PNG unless asked otherwise; tables have no picture, and pictures no JSON.
  static func form(of model: RecordedModel, _ request: Request) throws(Problem) -> SamplerRequest.Format {
    try form(among: model.isOfPictures ? [png, npy] : [json, npy], request)
  }

  static func form(among offers: [String], _ request: Request) throws(Problem) -> SamplerRequest.Format {
    switch ContentNegotiation.choose(offers, accept: request.headers[.accept]) {
    case png: return .png
    case npy: return .npy
    case json: return .json
    default: throw Problem(.notAcceptable, "this is given as \(offers.joined(separator: " or "))")
    }
  }
}

extension RecordedModel {
  var isOfPictures: Bool { if case .image = preparation.shape { true } else { false } }

  /// 409 where the family can't do it.
  func require(_ ability: String, _ lack: String) throws(Problem) {
    guard family.abilities.contains(ability) else { throw Problem(.conflict, "the family \(family.name) \(lack)") }
  }
}
