import HTTPTypes
import JSON

extension DescribedOperation {
  static func datasets(_ limits: DescribedLimits) -> [DescribedOperation] {
    [
      DescribedOperation(
        .post, "/v1/datasets", "uploadDataset", .datasets, "Uploads a dataset",
        notes: "The same bytes with the same parameters are the same dataset, whoever sends them.",
        parameters: [name] + DescribedParameter.decoding + [.idempotencyKey, .reprDigest],
        body: .file("IDX, NPY, NPZ, safetensors, CSV, CIFAR, or a ZIP or TAR of pictures; plain or compressed."),
        answers: [
          uploaded(201, "A new dataset."), uploaded(200, "A dataset that is known already."),
        ]),
      DescribedOperation(
        .get, "/v1/datasets", "listDatasets", .datasets, "Lists datasets, the newest first", parameters: DescribedParameter.page,
        answers: [.json("A page.", Schema.page(of: Schema.named("Dataset")), headers: [.next])]),
      DescribedOperation(
        .get, "/v1/datasets/{id}", "describeDataset", .datasets, "Describes a dataset",
        answers: [.json("The dataset.", Schema.named("Dataset"))]),
      DescribedOperation(
        .delete, "/v1/datasets/{id}", "deleteDataset", .datasets, "Removes a dataset", answers: [DescribedAnswer(204, "It is gone.")],
        refusals: [409: "An unfinished job needs it."]),
      DescribedOperation(
        .get, "/v1/datasets/{id}/leaderboard", "showLeaderboard", .datasets, "Ranks the models that were evaluated on it, by metric",
        answers: [.json("The best first.", Schema.named("Leaderboard"))]),
      DescribedOperation(
        .get, "/v1/datasets/{id}/preview.png", "previewDataset", .datasets, "Shows examples as a grid",
        parameters: grid(limits, "How many, evenly strided through the file."),
        answers: [DescribedAnswer(200, "The grid.", [DescribedAnswer.png])],
        refusals: [409: "Rows of a table are no pictures."]),
    ]
  }

  static let uploads: [DescribedOperation] = uploadOperations.map { operation in
    var operation = operation
    operation.refusalHeaders = uploadFields
    return operation
  }

  private static let uploadOperations: [DescribedOperation] = [
    DescribedOperation(
      .post, "/v1/uploads", "beginUpload", .uploads, "Begins an upload that can go on where it breaks off",
      notes: "`Upload-Metadata` of tus may say what the query says, in base64.",
      parameters: [name] + DescribedParameter.decoding + [tus, uploadLength, uploadMetadata, .idempotencyKey, .reprDigest],
      answers: [
        .json(
          201, "The upload; its bytes are sent to `links.self`.", Schema.named("Upload"),
          headers: [.location("the upload"), .replayed] + uploadFields,
          links: DescribedLink.to(["describeUpload", "putUpload", "patchUpload", "endUpload"]))
      ],
      refusals: [412: "Tus-Resumable names a version that is not spoken.", 422: "The Idempotency-Key was another request's."]),
    DescribedOperation(
      .get, "/v1/uploads/{id}", "describeUpload", .uploads, "Tells how far an upload has come", parameters: [tus],
      answers: [.json("The upload.", Schema.named("Upload"), headers: uploadFields)],
      refusals: [412: "Tus-Resumable names a version that is not spoken."]),
    DescribedOperation(
      .put, "/v1/uploads/{id}", "putUpload", .uploads, "Sends the file, or the part of it that Content-Range says",
      parameters: [
        .header(
          .contentRange, ["type": "string", "pattern": #"^bytes ([0-9]+-[0-9]+|\*)/([0-9]+|\*)$"#],
          "As in `bytes 100-199/1000`; `bytes */1000` asks how far it has come. Absent, the body is the whole file."),
        .reprDigest,
      ],
      body: .file("Bytes of the file."),
      answers: [
        uploaded(201, "All of it is there: a new dataset."), uploaded(200, "All of it is there: a dataset that is known already."),
        .json(308, "More is to come.", Schema.named("Upload"), headers: uploadFields),
      ], refusals: [409: "The part does not begin where the upload has come to."]),
    DescribedOperation(
      .patch, "/v1/uploads/{id}", "patchUpload", .uploads, "Sends the next bytes, as tus has it",
      parameters: [tus, .header(uploadOffset, Schema.count, "Where the part begins.", isRequired: true)],
      body: DescribedBody(description: "Bytes of the file.", content: [("application/offset+octet-stream", nil)]),
      answers: [
        DescribedAnswer(
          204, "They are kept; where that was all of it, Location tells the dataset.",
          headers: uploadFields + [DescribedHeader(.location, Schema.address, "The path of the dataset.", isAlways: false)])
      ],
      refusals: [
        409: "The part does not begin where the upload has come to.", 412: "Tus-Resumable names a version that is not spoken.",
        415: "It must be application/offset+octet-stream.",
      ]),
    DescribedOperation(
      .delete, "/v1/uploads/{id}", "endUpload", .uploads, "Gives an upload up", parameters: [tus],
      answers: [DescribedAnswer(204, "It is gone.", headers: [tusVersion])],
      refusals: [409: "It is whole, and is being decoded.", 412: "Tus-Resumable names a version that is not spoken."]),
  ]

  private static let name = DescribedParameter("name", Schema.text(0...200), "What it is called. At most 200 bytes of UTF-8.")

  /// `count`, `columns` and `scale` of a grid.
  static func grid(_ limits: DescribedLimits, _ count: String) -> [DescribedParameter] {
    [
      DescribedParameter("count", Schema.integer(1...limits.samplesMax, default: 16), count),
      DescribedParameter("columns", Schema.integer(1...limits.samplesMax), "At most `count`; about a square, where nobody says."),
      .scale,
    ]
  }

  private static func uploaded(_ status: Int, _ description: String) -> DescribedAnswer {
    let next = DescribedLink.to(["describeDataset", "previewDataset", "showLeaderboard", "deleteDataset"])
    let train = DescribedLink(operation: "createJob", body: ["kind": "train", "dataset": "$response.body#/id", "family": "made"])
    return .json(
      status, description, Schema.named("Dataset"),
      headers: [DescribedHeader(.location, Schema.address, "The path of the dataset."), .replayed],
      links: next + [train])
  }

  // MARK: tus 1.0

  private static let uploadOffset = HTTPField.Name.uploadOffset
  private static let tus = DescribedParameter.header(.tusResumable, Schema.words([Tus.version]), "The version of tus.")
  private static let uploadLength = DescribedParameter.header(.uploadLength, Schema.count, "The bytes in all, where they are known.")
  private static let uploadMetadata = DescribedParameter.header(
    .uploadMetadata, Schema.text, "Names and base64, as in `filename bW5pc3Q=,format Y3N2`.")
  private static let tusVersion = DescribedHeader(.tusResumable, Schema.constant(.string(Tus.version)), "The version of tus.")
  private static let uploadFields = [
    tusVersion, DescribedHeader(.uploadOffset, Schema.count, "The bytes that are there."),
    DescribedHeader(.uploadLength, Schema.count, "The bytes in all, once that is known.", isAlways: false),
    DescribedHeader(.range, Schema.text, "The bytes that are there, as in `bytes=0-99`.", isAlways: false),
  ]
}

extension DescribedParameter {
  static let scale = DescribedParameter(
    "scale", Schema.integer(1...DescribedLimits.scaleMax, default: 1), "Every pixel becomes a square with sides of so many.")
}
