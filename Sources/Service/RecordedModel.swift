import Datasets
import JSON
import Jobs
import Models
import Training

/// A model of the record with its family and how data are prepared for it: what a request is checked against, with no checkpoint read.
struct RecordedModel: Sendable {
  let record: ModelRecord
  let family: ModelFamily
  let preparation: Preparation
  let configuration: Configuration

  var familyAndConfiguration: (family: ModelFamily, configuration: Configuration) { (family, configuration) }

  init(_ record: ModelRecord) throws {
    guard let family = ModelFamily.named(record.family),
      let preparation = record.description["preparation"].flatMap(Preparation.init(json:))
    else { throw RecordError.damagedRow(table: "models", id: record.id, detail: "family or preparation") }
    self.record = record
    self.family = family
    self.preparation = preparation
    let faults = Faults()
    configuration = family.schema.resolve(FieldReader(record.description["configuration"] ?? [:], faults: faults))
    guard faults.isEmpty else { throw RecordError.damagedRow(table: "models", id: record.id, detail: "configuration") }
  }

  /// What the record keeps of a model that a job will make.
  static func description(of request: TrainingRequest, dataset: DatasetDescription) throws -> JSONValue {
    let preparation = try Preparation.fitting(dataset, binarization: request.binarization, pictures: request.pictures).get()
    return [
      "configuration": request.configuration.json, "training": request.settings.json, "data": request.json["data"] ?? [:],
      "seed": .integer(request.seed), "preparation": preparation.json,
    ]
  }
}
