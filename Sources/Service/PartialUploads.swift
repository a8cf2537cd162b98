import Files
import Foundation
import JSON
import Synchronization

/// Uploads that come in parts, over minutes or days: what has come of each is on the disk, and stays there when the server ends.
///
/// ```
/// UPLOADS/up_…/upload.json     what was said when it was begun
/// UPLOADS/up_…/part-<offset>   bytes from that offset on, each part whole and on the disk before it has that name
/// ```
/// A class because it owns a lock, under which parts get their names: for some renames, on work threads alone. It holds the ids of those
/// that are being decoded.
final class PartialUploads: Sendable {
  let folder: String
  private let lock = Mutex<Set<String>>([])
  /// After so long without a byte an upload is swept.
  private let idleSecondsMax: Double

  init(folder: String, idleSecondsMax: Int) throws {
    self.folder = folder
    self.idleSecondsMax = Double(idleSecondsMax)
    try Disk.createFolders(folder)
    try sweep()
  }

  /// Chosen: each may hold as many bytes as a body may have.
  private static let uploadsMax = 256
  /// Chosen: a 4 GB file in parts of 1 MB.
  private static let partsMax = 4096

  func begin(_ plan: PartialUpload.Plan) throws -> PartialUpload {
    try lock.withLock { _ in
      try sweep()
      guard try Disk.list(folder).count < Self.uploadsMax else {
        let detail = "\(Self.uploadsMax) uploads are unfinished, the most that is allowed; end one with DELETE"
        throw Problem(.tooManyRequests, detail, headers: [.retryAfter: "60"])
      }
      let id = Identifier.random(prefix: Self.prefix)
      try Disk.createFolders(path(of: id))
      try Disk.replace("\(path(of: id))/\(Self.planName)", with: plan.json.serializedBytes())
      return PartialUpload(id: id, plan: plan, offset: 0)
    }
  }

  func upload(_ id: String?) throws -> PartialUpload {
    guard let id, Identifier.isWellFormed(id, prefix: Self.prefix), let plan = try plan(of: id) else {
      throw Problem.notFound("upload", id ?? "")
    }
    return PartialUpload(id: id, plan: plan, offset: try parts(of: id).end)
  }

  /// Takes a file in as the part from `offset` on, which must be where the upload has come to.
  /// - Parameter startsOver: what came before is dropped, where this part begins at 0.
  func append(_ file: String, bytes: Int, at offset: Int, to id: String, startsOver: Bool = false) throws -> PartialUpload {
    try Disk.sync(file)
    return try lock.withLock { _ in
      var found = try upload(id)
      if startsOver, offset == 0, found.offset > 0 {
        for part in try parts(of: id).names { try Disk.removeTree("\(path(of: id))/\(part)") }
        found.offset = 0
      }
      guard offset == found.offset else { throw found.conflict(at: offset) }
      guard bytes > 0 else { return found }
      guard try parts(of: id).names.count < Self.partsMax else {
        throw Problem(.conflict, "the upload has come in \(Self.partsMax) parts, the most that is allowed; larger parts are needed")
      }
      try Disk.move(file, to: "\(path(of: id))/\(Self.partPrefix)\(Self.padded(offset))")
      found.offset += bytes
      return found
    }
  }

  /// Writes the length down, where it was not known before.
  func setLength(_ length: Int, of id: String) throws {
    try lock.withLock { _ in
      var plan = try upload(id).plan
      if let known = plan.length {
        guard known == length else { throw Problem(.badRequest, "the upload has \(known) bytes in all, and not \(length)") }
        return
      }
      plan.length = length
      try Disk.replace("\(path(of: id))/\(Self.planName)", with: plan.json.serializedBytes())
    }
  }

  /// The file that holds all of it, for the caller alone until `release` or `remove`. Its parts are put into one where they are several, so
  /// that it is done for once.
  func claimWhole(_ id: String) throws -> String {
    try lock.withLock { claimed in
      guard !claimed.contains(id) else { throw Problem(.conflict, "the upload is whole, and is being decoded") }
      let (names, _) = try parts(of: id)
      guard let first = names.first else { throw Problem.notFound("upload", id) }
      let path = path(of: id)
      if names.count > 1 { try join(names, in: path) }
      claimed.insert(id)
      return "\(path)/\(first)"
    }
  }

  /// The first part becomes the whole in one step; the others are then inside it, and are left aside until they are removed.
  private func join(_ names: [String], in path: String) throws {
    var file = try StagedFile(for: "\(path)/\(names[0])")
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    for name in names {
      let part = try OpenFile(reading: "\(path)/\(name)")
      while true {
        let count = try part.read(into: &buffer)
        if count == 0 { break }
        try file.write(buffer.span.extracting(..<count))
      }
    }
    try file.commit()
    for name in names.dropFirst() { try Disk.removeTree("\(path)/\(name)") }
  }

  /// Gives back what was claimed: it may be tried again.
  func release(_ id: String) { lock.withLock { claimed in _ = claimed.remove(id) } }

  /// One that is absent is fine.
  func remove(_ id: String) throws {
    try lock.withLock { claimed in
      claimed.remove(id)
      try Disk.removeTree(path(of: id))
    }
  }

  private static let prefix = "up"
  private static let planName = "upload.json"
  private static let partPrefix = "part-"

  private static func padded(_ offset: Int) -> String {
    let digits = String(offset)
    return String(repeating: "0", count: 19 - digits.count) + digits
  }

  private func path(of id: String) -> String { "\(folder)/\(id)" }

  /// Where a part that was cut off is put, to be taken in.
  func pathOfCutPart(of id: String) -> String { "\(path(of: id))/cut-\(Identifier.random(prefix: "cut"))" }

  private func plan(of id: String) throws -> PartialUpload.Plan? {
    let path = "\(path(of: id))/\(Self.planName)"
    guard Disk.exists(path) else { return nil }
    return PartialUpload.Plan(json: try JSONValue(parsing: try Disk.read(path, bytesMax: 1 << 16)))
  }

  /// The parts in their order, and where the last ends. One that lies in an earlier one is a leftover of their joining.
  private func parts(of id: String) throws -> (names: [String], end: Int) {
    var (names, end) = ([String](), 0)
    for name in try Disk.list(path(of: id)) where name.hasPrefix(Self.partPrefix) && !StagedFile.isStaged(name) {
      guard let offset = Int(name.dropFirst(Self.partPrefix.count)), offset == end,
        let bytes = try Disk.status(of: "\(path(of: id))/\(name)")?.bytes
      else { continue }
      names.append(name)
      end += bytes
    }
    return (names, end)
  }

  /// Removes uploads to which nothing was added for long, and folders that are none.
  private func sweep() throws {
    let oldest = Date(timeIntervalSinceNow: -idleSecondsMax)
    for name in try Disk.list(folder) {
      // A folder's own time is that of the last name in it; one that can't be told is swept.
      let changed = try? FileManager.default.attributesOfItem(atPath: path(of: name))[.modificationDate] as? Date
      if changed ?? .distantPast < oldest || !Disk.exists("\(path(of: name))/\(Self.planName)") { try Disk.removeTree(path(of: name)) }
    }
  }
}
