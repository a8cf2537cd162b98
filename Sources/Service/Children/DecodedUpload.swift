import Datasets
import Files
import JSON
import Logging

/// What a decoder has made of an upload, in a folder that goes with the last reference to it.
struct DecodedUpload: Sendable {
  private let staged: StagedFolder

  init(folder: String, logger: Logger) { staged = StagedFolder(folder, logger: logger) }

  var folder: String { staged.path }

  var examples: String { "\(folder)/\(DecodedFolder.examplesName)" }

  func description() throws -> DatasetDescription {
    let json = try JSONValue(
      parsing: try Disk.read("\(folder)/\(DecodedFolder.descriptionName)", bytesMax: DecodedFolder.descriptionBytesMax))
    guard let description = DatasetDescription(json: json) else { throw DecoderFailed(reason: "its description is damaged") }
    return description
  }
}
