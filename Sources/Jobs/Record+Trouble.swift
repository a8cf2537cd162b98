import GRDB

/// What keeps the record from being read or written, whatever was asked of it. Nothing of what was to be written is, then.
extension Record {
  package enum Trouble: Sendable, Hashable {
    /// The disk has no room.
    case fullDisk
    /// The disk refuses to be written, because it fails or because it may only be read.
    case refusedWrite
    /// What is in the file can't be made sense of.
    case damaged
    case other
  }

  /// Nil for an error that is not the database's.
  package static func trouble(_ error: any Error) -> Trouble? {
    if let error = error as? RecordError {
      if case .damagedFile = error { return .damaged }
      return nil
    }
    guard let error = error as? DatabaseError else { return nil }
    switch error.resultCode {
    case .SQLITE_FULL: return .fullDisk
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: return .damaged
    case .SQLITE_READONLY, .SQLITE_CANTOPEN: return .refusedWrite
    case .SQLITE_IOERR:
      let isReading = [ResultCode.SQLITE_IOERR_READ, .SQLITE_IOERR_SHORT_READ].contains(error.extendedResultCode)
      return isReading ? .other : .refusedWrite
    default: return .other
    }
  }
}
