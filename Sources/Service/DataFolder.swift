import Files
import Foundation
import HTTP
import Jobs
import Logging
import Training

/// Where everything lies on disk. Only this file knows a path's shape.
///
/// ```
/// DATA/lock                              held by the one server of this folder
/// DATA/record                            the id of the record that these data belong to
/// DATA/blobs/sha256/ab/abcd…             decoded examples, named by their contents
/// DATA/jobs/<id>/                        what a worker and the pool tell each other
/// DATA/models/<id>/checkpoint-<step>.safetensors
/// DATA/models/<id>/pinned-<step>.safetensors   a second name for a checkpoint that is to stay
/// DATA/uploads/<id>/                     uploads that come in parts, as far as they have come
/// DATA/incoming/                         uploads and their decoding, emptied at every start
/// DATA/aside/                            what the record did not name at a start, for a while
/// DATABASE/fount.sqlite                  the record
/// ```
struct DataFolder: Sendable {
  let root: String
  let databasePath: String
  let blobs: BlobStore

  var incoming: String { root + "/incoming" }
  var uploads: String { root + "/uploads" }
  var jobs: String { root + "/jobs" }
  var models: String { root + "/models" }

  static func databasePath(in folder: String) -> String { folder + "/fount.sqlite" }

  func modelFolder(_ id: String) -> String { "\(models)/\(id)" }

  /// A file to be sent; nil where there is none.
  func openedFile(_ path: String) throws -> ServedFile? {
    do throws(SystemCallError) { return try ServedFile(opening: path) } catch  where error.meansAbsent { return nil }
  }

  init(_ configuration: ServiceConfiguration) {
    root = configuration.data
    databasePath = Self.databasePath(in: configuration.database)
    blobs = BlobStore(root: root + "/blobs")
  }

  /// Makes the folders that are not there.
  func create() throws {
    for folder in [Disk.folder(of: databasePath), root + "/blobs", jobs, models] { try Disk.createFolders(folder) }
  }

  /// Puts in order what a job that is over has left; its worker is gone.
  func settle(_ job: JobRecord, in record: Record, _ logger: Logger) {
    removeOrigin(of: job, logger)
    sweepStaged(of: job, logger)
    tell(record, ofCheckpointsOf: job, logger)
  }

  /// What a worker that was killed has half written, where none comes after it.
  private func sweepStaged(of job: JobRecord, _ logger: Logger) {
    let model = job.kind == "train" ? job.model.map { modelFolder($0) } : nil
    for path in ["\(jobs)/\(job.id)", model].compactMap(\.self) where Disk.exists(path) {
      do {
        try StagedFile.sweep(path)
      } catch {
        logger.warning("what was never finished stays until it is checked", metadata: ["job": "\(job.id)", "error": "\(error)"])
      }
    }
  }

  /// A fork that is over goes on from nowhere any more; the link to where it began would only keep bytes on the disk.
  private func removeOrigin(of job: JobRecord, _ logger: Logger) {
    guard job.request["fork"] != nil, let model = job.model else { return }
    do {
      try Disk.removeTree(ModelFolder(path: modelFolder(model)).originPath)
    } catch {
      logger.warning("where a fork began stays until the next start", metadata: ["job": "\(job.id)", "error": "\(error)"])
    }
  }

  /// The files have the last word on what a job that is over has left, whatever of its telling a power cut took.
  private func tell(_ record: Record, ofCheckpointsOf job: JobRecord, _ logger: Logger) {
    guard job.kind == "train", let model = job.model else { return }
    do {
      guard let newest = try ModelFolder(path: modelFolder(model)).keptSteps().last else { return }
      if try record.model(model)?.newestStep ?? -1 < newest { try record.setNewestStep(newest, ofModel: model) }
    } catch {
      logger.warning(
        "the newest checkpoint stays untold until the job's model is checked", metadata: ["job": "\(job.id)", "error": "\(error)"])
    }
  }

  /// How long a decoder of a dead server may take to see that it is gone. Chosen.
  private static let strayDecoderSeconds = 10.0

  /// Empties `incoming`: what lies there was never acknowledged. Call it with the folder's lock held.
  func emptyIncoming() throws {
    let end = ContinuousClock.now + .seconds(Self.strayDecoderSeconds)
    while try !isRemoved(incoming, mayFail: ContinuousClock.now < end) { Thread.sleep(forTimeInterval: 0.05) }
    try Disk.createFolders(incoming + "/bodies")
  }

  /// False where a decoder has put something in while the rest was removed, and it `mayFail`.
  private func isRemoved(_ path: String, mayFail: Bool) throws -> Bool {
    do {
      try Disk.removeTree(path)
      return true
    } catch {
      guard mayFail, error.code == ENOTEMPTY else { throw error }
      return false
    }
  }

  /// Ties the data to their record, at the first start: with another record, such as an empty one in a mistyped folder, every blob and
  /// every model would be nobody's.
  /// - Throws: `StartRefused` where the data are another record's.
  func claim(for record: Record) throws {
    if try !isClaimed(by: record) { try Disk.replace(ownerPath, with: Array((record.identity() + "\n").utf8)) }
  }

  private var ownerPath: String { root + "/record" }

  /// False for data that nobody has claimed yet.
  func isClaimed(by record: Record) throws -> Bool {
    let identity = try record.identity()
    let path = ownerPath
    if Disk.exists(path) {
      let owner = String(decoding: try Disk.read(path, bytesMax: 1 << 10), as: UTF8.self)
      guard owner == identity + "\n" else {
        throw StartRefused(
          "the data folder \(root) belongs to another record than \(databasePath); give the right database folder, or remove \(path) "
            + "if the old record is lost for good: what the new one does not know is then moved aside")
      }
      return true
    }
    if try record.isEmpty(), try !orphans(of: record).isEmpty {
      throw StartRefused("the data folder \(root) holds data, and the record \(databasePath) is empty; give the right database folder")
    }
    return false
  }
}
