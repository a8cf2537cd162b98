import Datasets
import HTTPTypes
import JSON
import Models

extension DescribedOperation {
  /// Every operation, in the order of a user's way through them.
  static func all(_ limits: DescribedLimits) -> [DescribedOperation] {
    datasets(limits) + uploads + families + jobs + jobNews + models(limits) + modelFiles + modelAnswers(limits) + server
  }

  private static let families: [DescribedOperation] = [
    DescribedOperation(
      .get, "/v1/families", "listFamilies", .families, "Lists the families with their abilities and the schema of their configuration",
      parameters: [.datasetToLearn], answers: [.json("All of them.", Schema.page(of: Schema.named("Family")))],
      refusals: [404: "There is no such dataset."]),
    DescribedOperation(
      .get, "/v1/families/{name}", "describeFamily", .families, "Describes a family", parameters: [.datasetToLearn],
      answers: [.json("The family.", Schema.named("Family"))]),
  ]

  private static let server: [DescribedOperation] = [
    DescribedOperation(
      .get, "/livez", "live", .server, "Tells that the server is alive",
      answers: [.json("It is.", Schema.object(["status": Schema.constant("alive")]))]),
    DescribedOperation(
      .get, "/readyz", "ready", .server, "Tells whether the server takes requests",
      answers: [.json("It does.", Schema.object(["status": Schema.constant("ready")]))],
      refusals: [503: "The server is starting or leaving."]),
    DescribedOperation(
      .get, "/version", "version", .server, "Tells the version and which kernels compute",
      answers: [
        .json(
          "Samples are the same bytes on every machine with the same kernel set.",
          Schema.object(["name": Schema.constant("fount"), "version": Schema.text, "kernel_set": Schema.text]))
      ]),
    DescribedOperation(
      .get, "/metrics", "tellMetrics", .server, "Tells what Prometheus asks",
      answers: [DescribedAnswer(200, "Prometheus' text format.", [("text/plain", nil)])]),
    page("/", "showPage", "The page that shows all this"),
    page("/page/{file}", "showPageFile", "A file of the page"),
    DescribedOperation(
      .get, "/openapi.json", "describeInterface", .server, "This document",
      answers: [
        .json("OpenAPI 3.1.", ["type": "object"], headers: [.entityTag]), DescribedAnswer(304, "It is as it was.", headers: [.entityTag]),
      ]),
    DescribedOperation(
      .get, "/docs", "showDocumentation", .server, "This document as a page to read",
      answers: [
        DescribedAnswer(200, "A page without scripts.", [("text/html", nil)], headers: [.entityTag] + [.policy, .noReferrer]),
        DescribedAnswer(304, "It is as it was.", headers: [.entityTag]),
      ]),
  ]
}

extension DescribedOperation {
  private static func page(_ path: String, _ name: String, _ summary: String) -> DescribedOperation {
    let types = ["text/html", "text/css", "text/javascript", "image/svg+xml"]
    return DescribedOperation(
      .get, path, name, .server, summary, parameters: [.ifNoneMatch],
      answers: [
        DescribedAnswer(
          200, "HTML, CSS, JavaScript or a drawing.", types.map { ($0, nil) }, headers: [.entityTag, .policy, .noReferrer, .ownWindow]),
        DescribedAnswer(304, "The client has it.", headers: [.entityTag]),
      ])
  }
}

extension DescribedHeader {
  static let entityTag = DescribedHeader(.eTag, Schema.text, "For If-None-Match.")

  static func location(_ what: String) -> DescribedHeader { DescribedHeader(.location, Schema.address, "The path of \(what).") }

  static let policy = DescribedHeader(.contentSecurityPolicy, Schema.text, "What the page may load.")
  static let noReferrer = DescribedHeader(
    .referrerPolicy, Schema.text, "Of HTML: no address of this server is told to others.", isAlways: false)
  static let ownWindow = DescribedHeader(.crossOriginOpenerPolicy, Schema.text, "No other site's page has a hold of this one.")

  static let replayed = DescribedHeader(
    .idempotencyReplayed, Schema.constant("true"), "The answer is an earlier one's to the same Idempotency-Key.", isAlways: false)
  static let next = DescribedHeader(.link, Schema.text, "The next page (RFC 8288), where there is one.", isAlways: false)
}

extension DescribedParameter {
  /// `limit` and `after` of a list.
  static let page = [
    DescribedParameter("limit", Schema.integer(1...QueryReader.pageMax, default: 20), "How many a page holds."),
    DescribedParameter(
      "after", ["type": "string", "pattern": "^([0-9]{1,18}|[a-z]+_[0-9a-z]+)$"], "Where the page begins: `next` of the one before."),
  ]
  static let family = DescribedParameter("family", Schema.words(ModelFamily.all.map(\.name)), "Those of one family alone.")
  static let datasetToLearn = DescribedParameter("dataset", Schema.text, "A dataset that the families are told to fit or not.")
  static let dataset = DescribedParameter("dataset", Schema.text, "Those of one dataset alone.")

  /// What a client says of the examples that it sends.
  static let decoding: [DescribedParameter] = [
    DescribedParameter(
      "format", Schema.words(SchemaTable.formats), "What the file must be; its content tells, where nobody says."),
    DescribedParameter(
      "array", Schema.text(1...200), "Which array of several holds the examples, or which part of CIFAR. At most 200 bytes of UTF-8."),
    DescribedParameter(
      "labels", Schema.text(1...200), "Which array, or which column of a table, holds the labels. At most 200 bytes of UTF-8."),
    DescribedParameter(
      "resize", ["type": "string", "pattern": .string(sides), "examples": ["28x28"]],
      "HEIGHTxWIDTH that pictures of different sizes are brought to, each 1 to 4096."),
  ]
  /// 1 to 4096, without leading zeros, an x between them.
  private static let sides: String = {
    let side = "([1-9][0-9]{0,2}|[1-3][0-9]{3}|40[0-8][0-9]|409[0-6])"
    return "^\(side)x\(side)$"
  }()

  static let idempotencyKey = DescribedParameter.header(
    .idempotencyKey, ["type": "string", "pattern": "^[!-~]{1,255}$"],
    "With the same key and request the same answer comes again, for 24 hours; with another request 422.")
  static let reprDigest = DescribedParameter.header(
    .reprDigest, ["type": "string", "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$"],
    "The file's SHA-256 (RFC 9530), checked where it is given. Not with a form.")
  static let ifNoneMatch = DescribedParameter.header(.ifNoneMatch, Schema.text, "Tags that the client has; with one of them 304.")
}

extension SchemaTable {
  static let formats = UploadFormat.allCases.map(\.rawValue)
}
