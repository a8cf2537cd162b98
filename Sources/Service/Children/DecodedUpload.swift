import Datasets
import Files
import JSON
import Logging

/// What a decoder has made of an upload: a folder that goes with the last reference, however the request ends that it was made for.
///
/// A class because it owns the folder.
final class DecodedUpload: Sendable {
  let folder: String
  private let logger: Logger

  init(folder: String, logger: Logger) {
    self.folder = folder
    self.logger = logger
  }

  deinit {
    do {
      try Disk.removeTree(folder)
    } catch {
      logger.warning("a decoder's folder stays until the next start", metadata: ["error": "\(error)"])
    }
  }

  var examples: String { "\(folder)/\(DecodedFolder.examplesName)" }

  func description() throws -> DatasetDescription {
    let json = try JSONValue(parsing: try Disk.read("\(folder)/\(DecodedFolder.descriptionName)", bytesMax: 1 << 20))
    guard let description = DatasetDescription(json: json) else { throw DecoderFailed(reason: "its description is damaged") }
    return description
  }
}
