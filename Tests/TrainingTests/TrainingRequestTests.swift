import Datasets
import JSON
import Models
import Testing
import Training

@Suite struct `A request to train` {
  private let bits = DatasetDescription(
    count: 100, shape: smallPicture, element: .uint8, format: "idx", minimum: 0, maximum: 1, mean: 0.3, bits: true)
  private let grey = DatasetDescription(
    count: 100, shape: smallPicture, element: .uint8, format: "idx", minimum: 0, maximum: 200, mean: 30, bits: false)
  private let negative = DatasetDescription(
    count: 100, shape: .table(columns: 3), element: .float32, format: "npy", minimum: -3, maximum: 2, mean: 0, bits: false)

  private func read(
    _ body: String, dataset: DatasetDescription? = nil, validation: DatasetDescription? = nil
  ) throws -> (TrainingRequest?, [String: String]) {
    let faults = Faults()
    let reader = FieldReader(try JSONValue(parsing: body), faults: faults)
    _ = reader.value("validation_dataset")
    let request = TrainingRequest(reader: reader, dataset: dataset ?? bits, validation: validation)
    reader.finish()
    return (request, Dictionary(faults.all.map { ($0.pointer, $0.detail) }, uniquingKeysWith: { first, _ in first }))
  }

  @Test func `that names a family alone gets the documented defaults`() throws {
    let (request, faults) = try read(#"{"family":"made","seed":5}"#)
    #expect(faults.isEmpty)
    let settings = try #require(request?.settings)
    #expect(settings == TrainingSettings())
    #expect(settings.epochs == 20 && settings.batchSize == 100 && settings.learningRate == 0.001)
    #expect(settings.validationFraction == 0.1 && settings.earlyStoppingPatience == nil)
    #expect(request?.seed == 5 && request?.binarization == Binarization.none)
    #expect(request?.configuration == ModelFamily.named("made")?.schema.defaults)
  }

  @Test func `read again from what it became is the same`() throws {
    let body = #"{"family":"made","training":{"epochs":7,"validation_fraction":0,"max_seconds":9,"learning_rate_schedule":"cosine"}}"#
    let first = try #require(try read(body).0)
    let second = try #require(try read(JSONValue.object(first.json).serialized()).0)
    #expect(JSONValue.object(first.json).serialized() == JSONValue.object(second.json).serialized())
    #expect(first.settings == second.settings && first.seed == second.seed)
  }

  @Test(arguments: [
    (#"{"family":"made","training":{"epochs":-3}}"#, "/training/epochs", "-3"),
    (#"{"family":"made","training":{"epochs":0}}"#, "/training/epochs", "was 0"),
    (#"{"family":"made","training":{"epochs":1e999}}"#, "/training/epochs", "too large"),
    (#"{"family":"made","training":{"epochs":2.5}}"#, "/training/epochs", "2.5"),
    (#"{"family":"made","training":{"epochs":"3"}}"#, "/training/epochs", "\"3\""),
    (#"{"family":"made","training":{"learning_rate":"NaN"}}"#, "/training/learning_rate", "NaN"),
    (#"{"family":"made","training":{"learning_rate":1e999}}"#, "/training/learning_rate", "too large"),
    (#"{"family":"made","training":{"learning_rate":0}}"#, "/training/learning_rate", "greater than 0"),
    (#"{"family":"made","training":{"learning_rate":1000}}"#, "/training/learning_rate", "at most 100"),
    (#"{"family":"made","training":{"batch_sise":10}}"#, "/training/batch_sise", "batch_size"),
    (#"{"family":"made","training":{"batch_size":0}}"#, "/training/batch_size", "1 to 65536"),
    (#"{"family":"made","training":{"optimizer":"adm"}}"#, "/training/optimizer", "adam"),
    (#"{"family":"made","training":{"learning_rate_schedule":"cosin"}}"#, "/training/learning_rate_schedule", "cosine"),
    (#"{"family":"made","training":{"weight_averaging":1}}"#, "/training/weight_averaging", "0.99999"),
    (#"{"family":"made","training":{"validation_fraction":1}}"#, "/training/validation_fraction", "0.9"),
    (
      #"{"family":"made","training":{"validation_fraction":0,"early_stopping_patience":2}}"#, "/training/early_stopping_patience",
      "needs validation"
    ),
    (#"{"family":"made","training":{"threads":1000}}"#, "/training/threads", "1 to 64"),
    (#"{"family":"made","training":{"epochs":1000000,"batch_size":1}}"#, "", ""),
    (#"{"family":"made","training":3}"#, "/training", "object"),
    (#"{"family":"mad"}"#, "/family", "made"),
    (#"{"family":7}"#, "/family", "string"),
    (#"{}"#, "/family", "made"),
    (#"{"family":"made","configuration":{"hiden_layers":[3]}}"#, "/configuration/hiden_layers", "hidden_layers"),
    (#"{"family":"made","configuration":{"hidden_layers":[0]}}"#, "/configuration/hidden_layers/0", "0"),
    (#"{"family":"made","configuration":[1]}"#, "/configuration", "object"),
    (#"{"family":"made","data":{"binarize":"stochastik"}}"#, "/data/binarize", "stochastic"),
    (#"{"family":"made","data":{"binarise":"none"}}"#, "/data/binarise", "binarize"),
    (#"{"family":"made","seed":-1}"#, "/seed", "-1"),
    (#"{"family":"made","seed":9007199254740992}"#, "/seed", "9007199254740992"),
  ])
  func `that is impossible is refused at its place`(body: String, pointer: String, detail: String) throws {
    let (request, faults) = try read(body)
    if pointer.isEmpty {
      #expect(faults.isEmpty && request != nil)
    } else {
      let found = try #require(faults[pointer], "\(faults)")
      #expect(found.contains(detail), "\(found)")
      #expect(faults.count == 1, "\(faults)")
    }
  }

  @Test func `tells every fault at once`() throws {
    let body = """
      {"family": "vae2", "configuration": {"x": 1}, "training": {"epochs": -3, "learning_rate": "NaN", "batchsize": 3},
       "data": {"binarize": 4}, "seed": 0.5}
      """
    let (request, faults) = try read(body)
    #expect(request == nil)
    #expect(
      Set(faults.keys) == [
        "/family", "/training/epochs", "/training/learning_rate", "/training/batchsize", "/data/binarize", "/seed",
      ])
  }

  @Test func `for bits on grey data is refused with what would help`() throws {
    let (request, faults) = try read(#"{"family":"made"}"#, dataset: grey)
    #expect(request == nil)
    #expect(faults["/data/binarize"]?.contains("threshold") == true, "\(faults)")
    #expect(try read(#"{"family":"made","data":{"binarize":"threshold"}}"#, dataset: grey).0 != nil)
    #expect(try read(#"{"family":"made","data":{"binarize":"stochastic"}}"#, dataset: grey).0 != nil)
  }

  @Test func `can't make bits of values below 0`() throws {
    let (_, faults) = try read(#"{"family":"made","data":{"binarize":"threshold"}}"#, dataset: negative)
    #expect(faults["/data/binarize"]?.contains("below 0") == true, "\(faults)")
  }

  @Test func `with a validation dataset of another shape is refused`() throws {
    let other = DatasetDescription(
      count: 9, shape: .table(columns: 36), element: .uint8, format: "npy", minimum: 0, maximum: 1, mean: 0.5, bits: true)
    let (_, faults) = try read(#"{"family":"made","validation_dataset":"ds_x"}"#, validation: other)
    #expect(faults["/validation_dataset"]?.contains("[6,6,1]") == true, "\(faults)")
  }

  @Test func `with both a validation dataset and a fraction is refused`() throws {
    let body = #"{"family":"made","validation_dataset":"ds_x","training":{"validation_fraction":0.2}}"#
    let (_, faults) = try read(body, validation: bits)
    #expect(faults.keys.sorted() == ["/training/validation_fraction"])
    #expect(try read(#"{"family":"made","validation_dataset":"ds_x"}"#, validation: bits).0?.settings.validationFraction == nil)
  }

  @Test func `with more steps than have addresses is refused`() throws {
    let huge = DatasetDescription(
      count: 1_000_000, shape: smallPicture, element: .uint8, format: "idx", minimum: 0, maximum: 1, mean: 0.3, bits: true)
    let (_, faults) = try read(#"{"family":"made","training":{"epochs":1000000,"batch_size":1}}"#, dataset: huge)
    #expect(faults["/training/epochs"]?.contains("at most 4294") == true, "\(faults)")
  }
}

@Suite struct `A request to evaluate` {
  private func read(
    _ body: String, of family: ModelFamily = .made, dataset: DatasetDescription? = nil, preparation: Preparation? = nil
  ) throws -> [String: String] {
    let faults = Faults()
    let reader = FieldReader(try JSONValue(parsing: body), faults: faults)
    _ = EvaluationRequest(reader: reader, model: (family, family.schema.defaults), dataset: dataset, preparation: preparation)
    reader.finish()
    return Dictionary(faults.all.map { ($0.pointer, $0.detail) }, uniquingKeysWith: { first, _ in first })
  }

  @Test func `names metrics that there are`() throws {
    #expect(try read(#"{"metrics":["nats"]}"#).isEmpty)
    #expect(try read("{}").isEmpty)
    #expect(try read(#"{"metrics":["nats","fid"]}"#)["/metrics/1"]?.contains("\"nats\"") == true)
    #expect(try read(#"{"metrics":[]}"#)["/metrics"] != nil)
    #expect(try read(#"{"metrics":["nats","nats"]}"#)["/metrics/1"] != nil)
    #expect(try read(#"{"metric":["nats"]}"#)["/metric"]?.contains("metrics") == true)
    #expect(try read(#"{"settings":{"batch":1}}"#)["/settings/batch"] != nil)
  }

  @Test func `of a dataset that the model can't take is refused`() throws {
    let grey = DatasetDescription(
      count: 9, shape: smallPicture, element: .uint8, format: "idx", minimum: 0, maximum: 9, mean: 1, bits: false)
    let bits = DatasetDescription(
      count: 9, shape: smallPicture, element: .uint8, format: "idx", minimum: 0, maximum: 1, mean: 1, bits: true)
    let preparation = try Preparation.fitting(bits, binarization: .none).get()
    #expect(try read("{}", dataset: grey, preparation: preparation)["/dataset"]?.contains("bits") == true)
    #expect(try read("{}", dataset: bits, preparation: preparation).isEmpty)
  }
}
