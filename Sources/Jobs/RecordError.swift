/// What the record refuses. A database's own error (a full disk, a damaged page) is thrown as it comes.
package enum RecordError: Error, Hashable, CustomStringConvertible {
  case unknownJob(String)
  case unknownDataset(String)
  case unknownModel(String)
  /// A second thing would get an id that is taken.
  case alreadyThere(String)
  /// An unfinished job still needs what was to be deleted.
  case inUse(String, byJob: String)
  /// `after` is neither a cursor that the record gave nor an id that it knows.
  case unknownCursor(String)
  /// The owner has so many jobs that wait already.
  case queueFull(waitingMax: Int)
  /// The blobs of all datasets together would take more than they may.
  case datasetsFull(bytesMax: Int, bytes: Int)
  /// An `Idempotency-Key` comes back with another request.
  case keyReused(String)
  /// SQLite did not take a setting that durability rests on.
  case settingRefused(name: String, wanted: String, found: String)
  /// The file is no database any more, or has damaged pages.
  case damagedFile(String, detail: String)
  /// A row holds what this program never writes.
  case damagedRow(table: String, id: String, detail: String)

  package var description: String {
    switch self {
    case .unknownJob(let id): "there is no job \(id)"
    case .unknownDataset(let id): "there is no dataset \(id)"
    case .unknownModel(let id): "there is no model \(id)"
    case .alreadyThere(let id): "\(id) is there already"
    case .inUse(let id, let job): "\(id) is in use by the unfinished job \(job)"
    case .unknownCursor(let cursor): "\(cursor) is no place in this list"
    case .queueFull(let waitingMax): "\(waitingMax) jobs wait already"
    case .datasetsFull(let bytesMax, let bytes):
      "all datasets together may take \(bytesMax) bytes, decoded; this one's \(bytes) are too many"
    case .keyReused(let key): "the Idempotency-Key \(key) was used for another request; a new request needs a new key"
    case .settingRefused(let name, let wanted, let found): "SQLite's \(name) reads \(found) after it was set to \(wanted)"
    case .damagedFile(let path, let detail):
      """
      the record \(path) is damaged: \(detail.split(separator: "\n").joined(separator: "; ")).
      Nothing has been changed. Keep a copy of the file, and put a backup in its place, or what can still be read of it:
        sqlite3 \(path) .recover | sqlite3 \(path).recovered
      """
    case .damagedRow(let table, let id, let detail): "\(table) row \(id) is damaged: \(detail)"
    }
  }
}
