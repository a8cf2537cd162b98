import HTTPTypes
import JSON
import Models
import Training

extension DescribedOperation {
  /// What can be asked of a model by its id alone.
  static let ofModel = [
    "describeModel", "listCheckpoints", "drawSamples", "drawNeighbours", "drawFilters", "score", "encode", "reconstruct", "interpolate",
    "complete",
    "exportWeights", "exportGraph", "deleteModel",
  ]

  static func models(_ limits: DescribedLimits) -> [DescribedOperation] {
    [
      DescribedOperation(
        .get, "/v1/models", "listModels", .models, "Lists models, the newest first",
        parameters: [.family, .dataset] + DescribedParameter.page,
        answers: [.json("A page.", Schema.page(of: Schema.named("Model")), headers: [.next])]),
      DescribedOperation(
        .get, "/v1/models/{id}", "describeModel", .models, "Describes a model", answers: [.json("The model.", Schema.named("Model"))]),
      DescribedOperation(
        .delete, "/v1/models/{id}", "deleteModel", .models, "Removes a model", answers: [DescribedAnswer(204, "It is gone.")],
        refusals: [409: "An unfinished job needs it."]),
      DescribedOperation(
        .get, "/v1/models/{id}/samples", "drawSamples", .models, "Draws samples",
        notes: "The same model, seed and query are the same bytes. Without a seed one is drawn, and Content-Location names it.",
        parameters: grid(limits, "How many.") + [.seed, .temperature, .step, .burnIn, .thin, .ifNoneMatch],
        answers: [
          DescribedAnswer(
            200, "Of pictures a grid or, as an array, bytes of shape `[n, height, width, channels]`; of tables rows.",
            [DescribedAnswer.png, DescribedAnswer.npy, ("application/json", Schema.named("Samples"))], headers: [.entityTag, .drawnSeed]),
          DescribedAnswer(304, "The client has them.", headers: [.entityTag, .drawnSeed]),
        ], refusals: drawing),
      DescribedOperation(
        .get, "/v1/models/{id}/samples/{index}.png", "drawSample", .models, "Draws the one sample of this number",
        notes: "It is the same picture whatever else was drawn with the seed.",
        parameters: [.seed, .scale, .temperature, .step, .burnIn, .thin, .ifNoneMatch],
        answers: [
          DescribedAnswer(200, "The picture.", [DescribedAnswer.png], headers: [.entityTag, .drawnSeed]),
          DescribedAnswer(304, "The client has it.", headers: [.entityTag, .drawnSeed]),
        ], refusals: drawing),
      DescribedOperation(
        .get, "/v1/models/{id}/neighbours", "drawNeighbours", .models, "Shows samples beside the training examples nearest to them",
        parameters: grid(limits, "How many.") + [.fixedSeed, .temperature, .step, .burnIn, .thin, .ifNoneMatch],
        answers: [
          DescribedAnswer(
            200, "Of pictures a grid of pairs; or the examples' places in the dataset, and how far they are.",
            [DescribedAnswer.png, ("application/json", Schema.named("Neighbours"))], headers: [.entityTag]),
          DescribedAnswer(304, "The client has them.", headers: [.entityTag]),
        ], refusals: refused("The dataset is gone, or the model has no checkpoint.")),
    ]
  }

  static let modelFiles: [DescribedOperation] = [
    DescribedOperation(
      .post, "/v1/models", "importModel", .models, "Makes a model of a file that `weights.safetensors` gave",
      parameters: [.idempotencyKey], body: .file("safetensors, from any server."),
      answers: [
        .json(
          201, "The model, which draws the same samples for the same seed.", Schema.named("Model"),
          headers: [.location("the model"), .replayed], links: DescribedLink.to(ofModel))
      ]),
    DescribedOperation(
      .get, "/v1/models/{id}/weights.safetensors", "exportWeights", .models, "Gives the model as a file",
      parameters: [
        .step, .ifNoneMatch, .header(.range, Schema.text, "Of bytes (RFC 9110 §14)."),
        .header(.ifMatch, Schema.text, "412, where the file is none of these."),
        .header(.ifRange, Schema.text, "The tag that the range is of."),
      ],
      answers: [
        DescribedAnswer(200, "safetensors, its metadata telling the rest.", [file], headers: [.entityTag]),
        DescribedAnswer(206, "The range, or several of them.", [file, ("multipart/byteranges", nil)], headers: [.entityTag, range]),
        DescribedAnswer(304, "The client has it.", headers: [.entityTag]),
      ],
      refusals: [409: "It has no checkpoint yet.", 416: "None of the range is there."]),
    DescribedOperation(
      .get, "/v1/models/{id}/model.onnx", "exportGraph", .models, "Gives what draws samples as a graph (ONNX), its noise an input",
      parameters: [.step, .ifNoneMatch],
      answers: [
        DescribedAnswer(200, "ONNX.", [file], headers: [.entityTag]), DescribedAnswer(304, "The client has it.", headers: [.entityTag]),
      ], refusals: refused("The family or its configuration is no single pass, or the model has no checkpoint.")),
    DescribedOperation(
      .get, "/v1/models/{id}/checkpoints", "listCheckpoints", .models, "Lists the checkpoints that are kept, the newest first",
      answers: [.json("All of them.", Schema.page(of: Schema.named("Checkpoint")))]),
    DescribedOperation(
      .patch, "/v1/models/{id}/checkpoints/{step}", "pinCheckpoint", .models, "Keeps a checkpoint, or leaves it to training again",
      body: .json(Schema.named("Pin"), "Whether it is kept.", examples: [("keep", ["pinned": true])]),
      answers: [.json("The checkpoint.", Schema.named("Checkpoint"))], refusals: [409: "As many are pinned as may be."]),
  ]

  static func modelAnswers(_ limits: DescribedLimits) -> [DescribedOperation] {
    let latent = "The family has no latents."
    return [
      DescribedOperation(
        .get, "/v1/models/{id}/filters.png", "drawFilters", .models, "Shows what each hidden unit looks for",
        parameters: [DescribedParameter("count", Schema.integer(1...limits.samplesMax, default: 100), "How many.")]
          + rows(limits) + [.step, .ifNoneMatch],
        answers: [
          DescribedAnswer(
            200, "A grid, each from its least weight in black to its greatest in white.", [DescribedAnswer.png, DescribedAnswer.npy],
            headers: [.entityTag]),
          DescribedAnswer(304, "The client has it.", headers: [.entityTag]),
        ], refusals: refused("The family has no filters, or the model no checkpoint.")),
      DescribedOperation(
        .post, "/v1/models/{id}/score", "score", .models, "Tells −ln p(x) of each example",
        parameters: DescribedParameter.decoding + [.step],
        body: .file("Examples in any format of a dataset."), answers: [.json("The scores.", Schema.named("Score"))],
        refusals: refused("The family has no density, or the model no checkpoint.")),
      DescribedOperation(
        .post, "/v1/models/{id}/encode", "encode", .models, "Tells features or latents of each example",
        parameters: DescribedParameter.decoding + [.step], body: .file("Examples in any format of a dataset."),
        answers: [DescribedAnswer(200, "As an array, or JSON.", [DescribedAnswer.npy, ("application/json", Schema.named("Features"))])],
        refusals: refused("The family has no features, or the model no checkpoint.")),
      DescribedOperation(
        .post, "/v1/models/{id}/reconstruct", "reconstruct", .models, "Shows each example beside what its latents make of it again",
        parameters: DescribedParameter.decoding + [.step] + rows(limits), body: .file("Examples in any format of a dataset."),
        answers: [pictures("Reconstructions")], refusals: refused(latent)),
      DescribedOperation(
        .get, "/v1/models/{id}/interpolate", "interpolate", .models, "Goes through the latents from one seed's sample to another's",
        parameters: [
          DescribedParameter("from_seed", Schema.integer(0...SamplerLimits.seedMax, default: 0), "Where it begins."),
          DescribedParameter("to_seed", Schema.integer(0...SamplerLimits.seedMax, default: 1), "Where it ends."),
          DescribedParameter("steps", Schema.integer(2...limits.samplesMax, default: 8), "Pictures, both ends among them."),
          DescribedParameter(
            "rows", Schema.integer(1...max(1, limits.samplesMax / 8), default: 1), "Ways, down to a last one; with more steps fewer."),
          DescribedParameter("lower_from_seed", Schema.integer(0...SamplerLimits.seedMax, default: 2), "Where the last of several begins."),
          DescribedParameter("lower_to_seed", Schema.integer(0...SamplerLimits.seedMax, default: 3), "Where it ends."),
        ] + rows(limits) + [.step, .ifNoneMatch],
        answers: [
          pictures("Interpolation", headers: [.entityTag]), DescribedAnswer(304, "The client has it.", headers: [.entityTag]),
        ], refusals: refused(latent)),
      DescribedOperation(
        .post, "/v1/models/{id}/complete", "complete", .models, "Draws what a mask hides of an example, given the rest",
        parameters: grid(limits, "How many draws.") + [.seed, .temperature, .step],
        body: DescribedBody(
          description: "One example, and a mask of its sides, white where it is to be drawn.",
          content: [("multipart/form-data", Schema.object(["image": binary, "mask": binary]))]),
        answers: [pictures("Completions", headers: [DescribedHeader(.contentLocation, Schema.address, "The address with the seed.")])],
        refusals: refused("The family completes no examples, or the model has no checkpoint.")),
    ]
  }

  private static let binary: JSONValue = ["type": "string", "contentMediaType": "application/octet-stream"]
  private static let file: (type: String, schema: JSONValue?) = ("application/octet-stream", nil)
  private static let range = DescribedHeader(.contentRange, Schema.text, "Which it is, of one range.", isAlways: false)
  private static let drawing = refused("The model has no checkpoint yet, or no picture.")

  /// What anything that a sampler is asked may meet.
  private static func refused(_ conflict: String) -> [Int: String] {
    [409: conflict, 422: "The checkpoint or the examples do not allow it."]
  }

  private static func rows(_ limits: DescribedLimits) -> [DescribedParameter] {
    [DescribedParameter("columns", Schema.integer(1...limits.samplesMax), "In a row of the grid, at most as many as there are."), .scale]
  }

  private static func pictures(_ schema: String, headers: [DescribedHeader] = []) -> DescribedAnswer {
    DescribedAnswer(
      200, "Of pictures a grid, or an array of bytes; of tables rows.",
      [DescribedAnswer.png, DescribedAnswer.npy, ("application/json", Schema.named(schema))], headers: headers)
  }
}

extension DescribedParameter {
  static let seed = DescribedParameter("seed", Schema.integer(0...SamplerLimits.seedMax), "Drawn, where nobody says.")
  static let fixedSeed = DescribedParameter("seed", Schema.integer(0...SamplerLimits.seedMax, default: 0), "Of the samples.")
  static let temperature = DescribedParameter(
    "temperature", Schema.number(SamplerLimits.temperatures, default: 1), "1 draws from the model itself; less is less varied.")
  static let step = DescribedParameter(
    "step", Schema.integer(0...Int.max), "One of the checkpoints that are kept; the model's own, where nobody says.")
  static let burnIn = DescribedParameter(
    "burn_in", Schema.integer(ChainLength.burnInRange), "Of families that draw by Markov chains: steps before the first sample.")
  static let thin = DescribedParameter(
    "thin", Schema.integer(ChainLength.thinRange), "One chain, with so many steps between samples, in place of a chain a sample.")
}

extension DescribedHeader {
  static let drawnSeed = DescribedHeader(
    .contentLocation, Schema.address, "Without a seed in the query: the address with the one that was drawn.", isAlways: false)
}
