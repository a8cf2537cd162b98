import Dispatch
import Files
import Foundation
import HTTP
import HTTPTypes
import JSON
import Jobs
import Logging
import Synchronization

/// The service: the record, the children and the endpoints over one data folder. The endpoints are extensions of it, a file each.
///
/// A class because it owns the folder's lock, the pool and the threads.
package final class FountService: Sendable {
  let configuration: ServiceConfiguration
  let folder: DataFolder
  let record: Record
  let blobs: SharedBlobs
  let uploads: PartialUploads
  let freeSpace: FreeSpace
  let jobPayload: JobPayload
  let pool: WorkerPool
  let decoders: Decoders
  let samplers: Samplers
  let access: AccessControl
  let checkpoints = VerifiedCheckpoints()
  let documentation: PublishedDocumentation
  /// Those who wait for a job's news.
  let watch: JobWatch
  let logger: Logger
  private let lock: FolderLock
  let threads = WorkThreads(count: 8, waitingMax: 256)  // Chosen: SQLite has one writer, and a reader takes microseconds.
  /// For what goes over all bytes of an upload, so that nobody else waits for gigabytes to be hashed. Chosen.
  let bulkThreads = WorkThreads(count: 4, waitingMax: 256)
  private let housekeeping = DispatchQueue(label: "fount.housekeeping", qos: .background)
  private let started = Atomic(false)
  private let draining = Atomic(false)
  let requestMetrics = RequestMetrics()
  private let accessLog: AccessLog?
  /// What the server around it says of itself, once there is one.
  let serverLoad = Mutex<(@Sendable () -> ServerLoad?)?>(nil)

  /// Opens the data folder and its record, and mends what a dead server left.
  /// - Parameter executable: this program, which the children run.
  package init(_ configuration: ServiceConfiguration, executable: String, logger: Logger) throws {
    self.configuration = configuration
    self.logger = logger
    documentation = PublishedDocumentation(configuration)
    accessLog = AccessLog(configuration)
    try Disk.createFolders(configuration.data)
    guard let lock = try FolderLock(locking: configuration.data) else {
      let holder = try FolderLock.holder(of: configuration.data).map { " (process \($0))" } ?? ""
      throw StartRefused("the data folder \(configuration.data) is in use by another server\(holder)")
    }
    self.lock = lock
    let folder = DataFolder(configuration)
    try folder.create()
    let record = try Record(opening: folder.databasePath)
    access = try AccessControl(configuration, record: record, logger: logger)
    try folder.claim(for: record)
    try folder.emptyIncoming()
    let freeSpace = FreeSpace(
      folders: [configuration.data, configuration.database], bytesMin: configuration.diskFreeBytesMin, logger: logger)
    try folder.sweep(for: record, isLow: try freeSpace.isLow(), logger: logger)
    self.folder = folder
    self.record = record
    self.freeSpace = freeSpace
    blobs = SharedBlobs(folder.blobs)
    uploads = try PartialUploads(folder: folder.uploads, idleSecondsMax: configuration.uploadIdleSecondsMax)
    let payload = JobPayload(record: record, folder: folder, configuration: configuration)
    jobPayload = payload
    decoders = Decoders(executable: executable, configuration: configuration, logger: logger)
    samplers = Samplers(executable: executable, configuration: configuration, logger: logger)
    let watch = JobWatch()
    self.watch = watch
    pool = WorkerPool(
      record: record,
      engine: LocalEngine(executable: executable, options: configuration.workerLimits),
      settings: WorkerPool.Settings(workersMax: configuration.workers, jobsFolder: folder.jobs, modelsFolder: folder.models),
      prepare: { try payload.worker($0) }, logger: logger, onChange: { watch.changed($0) },
      onFinish: { folder.settle($0, in: record, logger) })
  }

  /// Takes up the jobs that wait; until it has, `/readyz` says that the service is starting.
  package func start() throws {
    try pool.start()
    started.store(true, ordering: .relaxed)
    keepHouse()
  }

  /// Once an hour, what a start removes goes while the server stays, too.
  private func keepHouse() {
    housekeeping.asyncAfter(deadline: .now() + 3600) { [weak self] in
      guard let self else { return }
      do {
        try folder.removeOldAside(logger)
        try uploads.sweep()
      } catch {
        logger.warning("what is old stays: \(error)")
      }
      keepHouse()
    }
  }

  /// From now on `/readyz` says that the service is leaving, and nothing new is taken; workers are asked for a checkpoint, and killed
  /// where they have not gone after `seconds`.
  package func drain(seconds: Double, completion: @escaping @Sendable () -> Void) {
    draining.store(true, ordering: .relaxed)
    watch.drain()
    pool.drain(graceSeconds: seconds, completion: completion)
  }

  /// The last thing: the record's log goes into its file, which is whole by itself from then on.
  package func close() {
    do {
      try record.close()
    } catch {
      logger.warning("the record's log stays for the next start: \(error)")
    }
  }

  var isStarted: Bool { started.load(ordering: .relaxed) }
  var isDraining: Bool { draining.load(ordering: .relaxed) }

  /// Whether the disk has room for more of an upload, asked while it comes: one in chunks does not say how long it will be.
  @Sendable package func storage() -> HTTPFault? {
    freeSpace.refusal(of: 0).map { HTTPFault($0.status, $0.detail, headers: $0.headers) }
  }

  /// The gate before every route, and before a body: who may speak to this server, and whether it takes anything new.
  package func admit(_ head: inout RequestHead) -> Response? {
    let problem = access.problem(of: &head) ?? refusal(ofNew: head)
    return problem?.response(instance: head.path, requestID: head.id)
  }

  /// What every answer says beside its own: to a key what it has left, to a browser what it must not do with it.
  package func decorate(_ response: inout Response, to head: RequestHead?) {
    if let head { access.addFields(for: head.principal, to: &response.headers) }
    response.headers[.contentTypeOptions] = "nosniff"
    guard response.headers[.contentType]?.hasPrefix("text/html") == true else { return }
    if response.headers[.contentSecurityPolicy] == nil {
      response.headers[.contentSecurityPolicy] = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    }
    response.headers[.referrerPolicy] = "no-referrer"
  }

  /// Counts an answer, and logs it.
  package func observe(_ answered: AnsweredRequest) {
    requestMetrics.count(answered)
    accessLog?.tell(answered)
  }

  /// The server tells how busy it is whenever it is asked.
  package func ask(_ server: Server) { serverLoad.withLock { $0 = { [weak server] in server?.load } } }

  /// A server that leaves answers questions and takes no orders. An upload that the disk has no room for is refused before it comes.
  private func refusal(ofNew head: RequestHead) -> Problem? {
    guard head.method == .post || head.method == .put || head.method == .patch || head.method == .delete else { return nil }
    if isDraining { return Problem(.serviceUnavailable, "the server is leaving", headers: [.retryAfter: "10"]) }
    guard head.method == .post && head.path == "/v1/datasets" || head.method != .delete && head.path.hasPrefix("/v1/uploads") else {
      return nil
    }
    return freeSpace.refusal(of: head.fields[.contentLength].flatMap { Int($0) } ?? 0)
  }

  /// Runs `work` on a work thread, and answers what it returns or throws.
  func answer(_ request: Request, _ responder: Responder, with work: @escaping @Sendable () throws -> Response) {
    answerLater(request, responder) { reply in reply(.success(try work())) }
  }

  func response(to error: any Error, _ request: Request) -> Response {
    let problem = Problem(error)
    if problem.status.code >= 500 {
      logger.error("\(request.method) \(request.path): \(error)", metadata: ["request_id": "\(request.id)"])
    }
    return problem.response(instance: request.path, requestID: request.id)
  }
}

/// Why a server does not start.
package struct StartRefused: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

extension HTTPField.Name {
  static let contentTypeOptions = constant("X-Content-Type-Options")
  static let referrerPolicy = constant("Referrer-Policy")
}
