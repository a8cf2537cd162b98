import Datasets
import HTTP
import HTTPTypes
import JSON
import Models
import Tensors
import Training

/// Inpainting: what a mask hides of an example is drawn, given the rest.
extension FountService {
  /// A form with one example and a mask, white where it is to be drawn; the answer is a grid of draws.
  func complete(_ request: Request, _ responder: Responder) {
    answerLater(request, responder) { reply in
      let query = QueryReader(request)
      let picture = self.pictureParameters(query)
      let seed = query.integer("seed", in: 0...SamplerLimits.seedMax)
      let temperature = query.number("temperature", in: SamplerLimits.temperatures) ?? 1
      let step = query.step()
      try query.finish()
      let model = try self.model(named: request.parameters["id"])
      try model.require("complete", "completes no examples")
      let checkpoint = try self.checkpoint(of: model, step: step)
      let form = SamplerRequest.Form(try Self.form(of: model, request), columns: picture.columns, scale: picture.scale)
      let (image, mask) = try Self.completionParts(of: request)
      let drawn = seed ?? Int.random(in: 0...SamplerLimits.seedMax)
      let headers: HTTPFields = [.cacheControl: "no-store", .contentLocation: request.address("seed", String(drawn))]
      self.decode(image, "image", request, reply) { image in
        if let refusal = model.preparation.refusal(of: image.file.description) {
          throw Problem.unprocessable([Fault(pointer: "/image", detail: refusal)])
        }
        self.decode(mask, "mask", request, reply) { mask in
          if let refusal = Self.refusal(ofMask: mask.file.description.shape, for: model.preparation.shape) {
            throw Problem.unprocessable([Fault(pointer: "/mask", detail: refusal)])
          }
          let completion = SamplerRequest.Completion(
            checkpoint: checkpoint.path, model: model.record.id, image: image.file, mask: mask.file, count: picture.count, seed: drawn,
            temperature: temperature, form: form)
          // The sampler reads the decoded examples until it has answered.
          self.ask(.complete(completion), responder, reply) { frame in
            withExtendedLifetime((image.upload, mask.upload)) { Response(sampled: frame, headers: headers) }
          }
        }
      }
    }
  }

  private static func completionParts(of request: Request) throws(Problem) -> (image: Form.Part, mask: Form.Part) {
    guard case .form(let form) = request.body, let image = form["image"], let mask = form["mask"] else {
      let missing = ["image", "mask"].filter { name in if case .form(let form) = request.body { form[name] == nil } else { true } }
      throw .unprocessable(
        missing.map { Fault(pointer: "/\($0)", detail: "is required: a part of the form, as curl -F \($0)=@FILE sends it") })
    }
    return (image, mask)
  }

  /// Of the example's height and width, with its channels or one for all of them.
  private static func refusal(ofMask mask: ExampleShape, for example: ExampleShape) -> String? {
    if mask == example { return nil }
    if case (.image(let height, let width, 1), .image(let wanted, let wide, _)) = (mask, example), (height, width) == (wanted, wide) {
      return nil
    }
    return "must have the shape \(example.json.serialized()), or one channel of it; was \(mask.json.serialized())"
  }

  /// A part's example, and what keeps its files.
  private struct DecodedPart: Sendable {
    let file: DatasetFile
    let upload: DecodedUpload
  }

  private func decode(
    _ part: Form.Part, _ name: String, _ request: Request, _ reply: @escaping Reply,
    _ next: @escaping @Sendable (DecodedPart) throws -> Void
  ) {
    decoders.decode(part.path, into: "\(folder.incoming)/\(request.id)-\(name)", DecodeOptions()) { result in
      do {
        let upload = try result.get()
        let description = try upload.description()
        guard description.count == 1 else {
          throw Problem.unprocessable([Fault(pointer: "/\(name)", detail: "must be one example; holds \(description.count)")])
        }
        try next(DecodedPart(file: DatasetFile(path: upload.examples, description: description), upload: upload))
      } catch {
        reply(.failure(error))
      }
    }
  }
}
