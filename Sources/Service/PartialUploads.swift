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
    for path in try Self.leftovers(in: folder) { try Disk.removeTree(path) }
  }

  /// Of one owner, and of all. Chosen: each may hold as many bytes as a body may have.
  private static let (uploadsMax, allUploadsMax) = (64, 1024)
  /// Chosen: a 4 GB file in parts of 1 MB.
  private static let partsMax = 4096

  func begin(_ plan: PartialUpload.Plan) throws -> PartialUpload {
    try lock.withLock { claimed in
      try removeIdle(except: claimed)
      let all = try Disk.list(folder)
      let own = try all.filter { try self.plan(of: $0)?.owner == plan.owner }.count
      guard own < Self.uploadsMax, all.count < Self.allUploadsMax else {
        let most = own < Self.uploadsMax ? "\(Self.allUploadsMax) uploads of all owners" : "\(Self.uploadsMax) of your uploads"
        throw Problem(
          .tooManyRequests, "\(most) are unfinished, the most that is allowed; end one with DELETE", headers: [.retryAfter: "60"])
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
    return try lock.withLock { claimed in
      try Self.requireUnclaimed(id, claimed)
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
    try lock.withLock { claimed in
      try Self.requireUnclaimed(id, claimed)
      var plan = try upload(id).plan
      if let known = plan.length {
        guard known == length else { throw Problem(.badRequest, "the upload has \(known) bytes in all, and not \(length)") }
        return
      }
      plan.length = length
      try Disk.replace("\(path(of: id))/\(Self.planName)", with: plan.json.serializedBytes())
    }
  }

  /// The file that holds all of it, for the caller alone until `release` or `remove`: nothing is added to it meanwhile, and it does not go.
  /// Its parts are put into one where they are several, so that it is done for once.
  func claimWhole(_ id: String) throws -> String {
    let names = try lock.withLock { claimed in
      try Self.requireUnclaimed(id, claimed)
      let names = try parts(of: id).names
      claimed.insert(id)
      return names
    }
    do {
      guard let first = names.first else { throw Problem.notFound("upload", id) }
      if names.count > 1 { try join(names, in: path(of: id)) }
      return "\(path(of: id))/\(first)"
    } catch {
      release(id)
      throw error
    }
  }

  private static func requireUnclaimed(_ id: String, _ claimed: Set<String>) throws(Problem) {
    guard !claimed.contains(id) else { throw Problem(.conflict, "the upload is whole, and is being decoded", headers: [.retryAfter: "5"]) }
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

  /// Ends it. One that is absent is fine.
  /// - Parameter isClaimer: whether the caller has claimed it.
  func remove(_ id: String, isClaimer: Bool = false) throws {
    try lock.withLock { claimed in
      if !isClaimer { try Self.requireUnclaimed(id, claimed) }
      claimed.remove(id)
      try Disk.removeTree(path(of: id))
    }
  }

  private static let prefix = "up"
  private static let planName = "upload.json"
  private static let partPrefix = "part-"
  private static let cutPrefix = "cut-"

  private static func padded(_ offset: Int) -> String {
    let digits = String(offset)
    return String(repeating: "0", count: 19 - digits.count) + digits
  }

  private func path(of id: String) -> String { "\(folder)/\(id)" }

  /// Where a part that was cut off is put, to be taken in.
  /// - Returns: nil for a name that no upload has; whether there is such an upload, a move to it tells.
  func pathOfCutPart(of id: String) -> String? {
    guard Identifier.isWellFormed(id, prefix: Self.prefix) else { return nil }
    return "\(path(of: id))/\(Self.cutPrefix)\(Identifier.random(prefix: "part"))"
  }

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
  func sweep() throws { try lock.withLock { claimed in try removeIdle(except: claimed) } }

  private func removeIdle(except claimed: Set<String>) throws {
    let oldest = Date(timeIntervalSinceNow: -idleSecondsMax)
    for name in try Disk.list(folder) where !claimed.contains(name) {
      // A folder's own time is that of the last name in it; one that can't be told is swept.
      let changed = try? FileManager.default.attributesOfItem(atPath: path(of: name))[.modificationDate] as? Date
      if changed ?? .distantPast < oldest || !Disk.exists("\(path(of: name))/\(Self.planName)") { try Disk.removeTree(path(of: name)) }
    }
  }

  /// What a killed server has left in uploads beside their parts; the paths.
  static func leftovers(in folder: String) throws -> [String] {
    guard Disk.exists(folder) else { return [] }
    return try Disk.list(folder).flatMap { id in
      try Disk.list("\(folder)/\(id)").filter { $0.hasPrefix(cutPrefix) || StagedFile.isStaged($0) }.map { "\(folder)/\(id)/\($0)" }
    }
  }
}
