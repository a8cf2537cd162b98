import Files
import HTTP
import HTTPTypes
import Jobs

/// Deleting: the row goes first, in a transaction that looks whether an unfinished job needs it; then the files, which without a row are
/// nobody's. What a kill in between leaves, the next start sweeps.
extension FountService {
  func deleteDataset(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    let dataset = try dataset(named: request.parameters["id"])
    try blobs.changing { store in
      try record.deleteDataset(dataset.id)
      if let digest = Digest(hex: dataset.blobDigest) { removeUnreferenced(digest, from: store) }
    }
    return Response(status: .noContent)
  }

  func deleteModel(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    let id = try model(named: request.parameters["id"]).record.id
    let job = try record.deleteModel(id).job
    do {
      try Disk.removeTree(folder.modelFolder(id))
      // Its pictures and its worker's log; what the job has told stays in the record.
      if let job { try Disk.removeTree("\(folder.jobs)/\(job)") }
    } catch {
      logger.warning("a deleted model's files stay until the next start", metadata: ["model": "\(id)", "error": "\(error)"])
    }
    return Response(status: .noContent)
  }

  /// A blob that no dataset names any more. The caller holds `blobs`.
  func removeUnreferenced(_ digest: Digest, from store: BlobStore) {
    do {
      if try !record.blobIsReferenced(digest.hex) { try store.remove(digest) }
    } catch {
      logger.warning("an unused blob stays until the next start", metadata: ["sha256": "\(digest.hex)", "error": "\(error)"])
    }
  }
}
