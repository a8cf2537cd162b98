import Foundation
import JSON
import Synchronization
import Testing

/// SIGKILL of the server or of a child at random moments, under a load of uploads, jobs, cancels, deletions, events and samples: what was
/// acknowledged stays to the byte, everything comes to an end, and nothing is left over.
///
/// `FOUNT_ROUNDS` multiplies the rounds, `FOUNT_SEED` sets the seed, which is printed.
@Suite struct `Kills at random moments` {
  @Test func `lose nothing that was acknowledged, leave no job stuck and no file orphaned`() throws {
    let rounds = 20 * Seeds.rounds
    let seed = Seeds.seed(of: "kill rounds", otherwise: .random(in: 0..<1 << 32))
    var random = SeededRandom(state: seed)
    let folder = try TemporaryFolder()
    let ledger = Ledger()
    for round in 1...rounds {
      let fount = try Self.start(folder)
      try ledger.compare(with: fount, "seed \(seed), round \(round)")
      try Self.load(fount, ledger, seed: random.next(), milliseconds: 20 + Int(random.next() % 700), killsChild: round.isMultiple(of: 3))
    }
    let fount = try Self.start(folder)
    try ledger.compare(with: fount, "seed \(seed), at the end")
    try Self.finishAll(fount, ledger, seed: seed)
    #expect(fount.stop() == 0)
    #expect(try Program.run("/usr/bin/pgrep", ["-f", folder.path]).output == "")
    let check = try Program.run(FountProcess.executable, ["check", "--data", folder.path])
    #expect(check.status == 0, "seed \(seed): \(check.output)\(check.errors)")
  }

  private static func start(_ folder: TemporaryFolder) throws -> FountProcess {
    try FountProcess(data: folder.path, flags: ["--workers", "2", "--samplers", "1", "--queued-jobs-max", "20"])
  }

  /// Three clients at once, until the server is killed.
  private static func load(_ fount: FountProcess, _ ledger: Ledger, seed: UInt64, milliseconds: Int, killsChild: Bool) throws {
    let clients = DispatchGroup()
    for index in 0..<3 {
      let client = Client(ledger: ledger, index: index, seed: seed &+ UInt64(index), port: fount.port)
      clients.enter()
      Thread.detachNewThread {
        client.run()
        clients.leave()
      }
    }
    Thread.sleep(forTimeInterval: Double(milliseconds) / 1000)
    if killsChild {
      let children = try Program.run("/usr/bin/pgrep", ["-P", "\(fount.pid)"]).output.split(separator: "\n").compactMap { Int32($0) }
      // It may be gone by now.
      if let child = children.randomElement() { Foundation.kill(child, SIGKILL) }
      Thread.sleep(forTimeInterval: 0.3)
    }
    fount.kill()
    try #require(clients.wait(timeout: .now() + 90) == .success, "a client did not see that its server is gone")
  }

  private static func finishAll(_ fount: FountProcess, _ ledger: Ledger, seed: UInt64) throws {
    for id in ledger.jobs.keys { _ = try fount.curl("/v1/jobs/\(id)/resume", "-X", "POST") }
    for (id, isCancelled) in ledger.jobs {
      let job = try fount.wait(for: id) { ["succeeded", "failed", "cancelled"].contains($0["status"]?.string ?? "") }
      if isCancelled { #expect(job["status"] == "cancelled", "seed \(seed): \(id)") }
      if job["status"] == "failed" { #expect(job["error"]?["reason"] == "worker_killed", "seed \(seed): \(job.serialized())") }
      // However it came to its end, the record has heard of what it left.
      let model = "/v1/models/\(job["model"]?.string ?? "")"
      let kept = try fount.curl("\(model)/checkpoints").json["data"]?.array?.compactMap { $0["step"]?.integer }.max()
      let told = try fount.curl(model).json["step"]?.integer
      #expect((kept == nil) == (told == nil), "seed \(seed): of \(id) step \(told ?? -1) is told, and \(kept ?? -1) kept")
    }
  }
}

/// What the server has acknowledged. A class because the clients share it.
private final class Ledger: Sendable {
  private struct State {
    /// Whether a cancel was acknowledged too.
    var jobs: [String: Bool] = [:]
    /// Whether the dataset is there; nil where the answer to what was asked last did not come.
    var datasets: [String: Bool?] = [:]
    var models: [String] = []
    /// Examples that were uploaded before, and the dataset that they are.
    var names: [Int: String] = [:]
    /// What a finished model's samples were.
    var samples: [String: Data] = [:]
    /// A job's events as they were told, oldest first.
    var events: [String: [JSONValue]] = [:]
    /// What was asked with a key, and what was answered.
    var keyed: [String: (body: JSONValue, answer: Data)] = [:]
    /// Checkpoints that are to stay.
    var pins: Set<String> = []
  }
  private let state = Mutex(State())

  var jobs: [String: Bool] { state.withLock { $0.jobs } }
  func submitted(_ job: String, model: String) {
    state.withLock { state in
      state.jobs[job] = false
      state.models.append(model)
    }
  }
  func keyed(_ key: String, _ body: JSONValue, _ answer: Data) { state.withLock { $0.keyed[key] = (body, answer) } }
  func pinned(_ path: String) { state.withLock { _ = $0.pins.insert(path) } }
  func cancelled(_ job: String) { state.withLock { $0.jobs[job] = true } }
  func dataset(_ id: String, isThere: Bool?) { state.withLock { $0.datasets[id] = .some(isThere) } }
  /// An upload is on its way: a dataset that was not there may be from now on.
  func uploading(_ examples: Int) {
    state.withLock { state in
      if let id = state.names[examples], state.datasets[id] == .some(.some(false)) { state.datasets[id] = .some(nil) }
    }
  }
  func uploaded(_ examples: Int, _ id: String) {
    state.withLock { state in
      state.names[examples] = id
      state.datasets[id] = .some(true)
    }
  }
  /// Bytes that are to be the same whenever they are asked for.
  func sampled(_ path: String, _ bytes: Data) {
    let before = state.withLock { state in
      defer { state.samples[path] = state.samples[path] ?? bytes }
      return state.samples[path]
    }
    if let before { #expect(before == bytes, "\(path) were other bytes before") }
  }
  func told(_ events: [JSONValue], of job: String) {
    state.withLock { state in
      // Two clients may have asked at once, and the one who knows less answer last.
      if events.count > state.events[job]?.count ?? 0 { state.events[job] = events }
    }
  }
  func randomJob(_ random: inout SeededRandom) -> String? { jobs.keys.sorted().randomElement(using: &random) }
  func randomModel(_ random: inout SeededRandom) -> String? { state.withLock { $0.models }.randomElement(using: &random) }

  func compare(with fount: FountProcess, _ when: String) throws {
    let connection = try KeptConnection(port: fount.port)
    let (jobs, datasets, samples, events) = state.withLock { ($0.jobs, $0.datasets, $0.samples, $0.events) }
    for path in state.withLock({ $0.pins }).shuffled().prefix(5) {
      let answer = try connection.ask("PATCH", path, json: ["pinned": true])
      #expect(answer.status == 200, "\(when): the pinned \(path) is lost: \(answer.text)")
    }
    for (key, asked) in state.withLock({ $0.keyed }).shuffled().prefix(5) {
      let answer = try connection.ask("POST", "/v1/jobs", headers: ["Idempotency-Key: \(key)"], json: asked.body)
      #expect(answer.status == 202 && answer.body == asked.answer, "\(when): the answer to \(key) is another: \(answer.text)")
    }
    // Of hundreds a few each time.
    for (path, bytes) in samples.shuffled().prefix(10) {
      let answer = try connection.ask("GET", path)
      #expect(answer.status == 200 && answer.body == bytes, "\(when): the samples \(path): \(answer.status)")
    }
    for (id, known) in events.shuffled().prefix(20) {
      let found = try connection.ask("GET", "/v1/jobs/\(id)/events?limit=1000").json["data"]?.array ?? []
      #expect(Array(found.prefix(known.count)) == known, "\(when): the events of \(id) are others than were told")
      let numbers = found.compactMap { $0["id"]?.integer }
      #expect(numbers == Array(Set(numbers)).sorted(), "\(when): the events of \(id) are out of order")
      let checkpoints = found.filter { $0["type"] == "checkpoint" }.compactMap { $0["data"]?["step"]?.integer }
      #expect(checkpoints == checkpoints.sorted(), "\(when): the checkpoints of \(id): \(checkpoints)")
    }
    for (id, isCancelled) in jobs {
      let answer = try connection.ask("GET", "/v1/jobs/\(id)")
      #expect(answer.status == 200, "\(when): the job \(id) is lost")
      if isCancelled { #expect(try answer.json["status"] == "cancelled", "\(when): the cancel of \(id) is lost") }
    }
    for case (let id, let isThere?) in datasets {
      let status = try connection.ask("GET", "/v1/datasets/\(id)").status
      #expect(status == (isThere ? 200 : 404), "\(when): the dataset \(id)")
      // Its bytes too.
      if isThere { #expect(try connection.ask("GET", "/v1/datasets/\(id)/preview.png").status == 200, "\(when): the bytes of \(id)") }
    }
  }
}

/// Asks for random things over one connection until its server is gone.
private struct Client {
  let ledger: Ledger
  let index: Int
  var random: SeededRandom
  let port: Int

  init(ledger: Ledger, index: Int, seed: UInt64, port: Int) {
    self.ledger = ledger
    self.index = index
    random = SeededRandom(state: seed)
    self.port = port
  }

  func run() {
    var client = self
    // The end of the server, in the middle of whatever it was.
    do {
      let connection = try KeptConnection(port: port)
      while true { try client.step(connection) }
    } catch is KeptConnection.Lost {
    } catch {
      Issue.record("client \(index): \(error)")
    }
  }

  private mutating func step(_ connection: KeptConnection) throws {
    Thread.sleep(forTimeInterval: Double(random.next() % 8) / 1000)
    switch random.next() % 13 {
    case 0, 1: try upload(connection)
    case 2...5: try submit(connection)
    case 6, 7: try cancel(connection)
    case 8: try deleteDataset(connection)
    case 11: try pause(connection)
    case 12: try pin(connection)
    case 9:
      guard let job = ledger.randomJob(&random) else { return }
      ledger.told(try connection.ask("GET", "/v1/jobs/\(job)/events?limit=1000").json["data"]?.array ?? [], of: job)
    default:
      guard let model = ledger.randomModel(&random) else { return }
      let path = "/v1/models/\(model)/samples?count=4&seed=1"
      let answer = try connection.ask("GET", path)
      // Without a checkpoint yet, a conflict; a sampler that was killed at it, unavailable.
      if ![200, 409, 503].contains(answer.status) { Issue.record("samples: \(answer.status) \(answer.text)") }
      if answer.status == 200, answer.headers["cache-control"]?.contains("immutable") == true { ledger.sampled(path, answer.body) }
    }
  }

  private mutating func dataset(_ connection: KeptConnection, _ number: Int) throws -> String {
    // Each client has examples of its own, so that it knows what became of them.
    let copies = 1 + index + 3 * number
    ledger.uploading(copies)
    let answer = try connection.ask("POST", "/v1/datasets", body: SampleData.barsAndStripes(side: 3, copies: copies))
    guard answer.status == 201 || answer.status == 200, let id = try answer.json["id"]?.string else {
      // A decoder that was killed from outside is told as such, and leaves nothing.
      if answer.status != 503 { Issue.record("an upload: \(answer.status) \(answer.text)") }
      return ""
    }
    ledger.uploaded(copies, id)
    return id
  }

  private mutating func upload(_ connection: KeptConnection) throws { _ = try dataset(connection, Int(random.next() % 4)) }

  private mutating func submit(_ connection: KeptConnection) throws {
    let id = try dataset(connection, Int(random.next() % 4))
    guard !id.isEmpty else { return }
    let training: JSONValue = [
      "epochs": .integer(1 + Int(random.next() % 40)), "batch_size": 10, "checkpoint_every_seconds": 1, "validation_fraction": 0.2,
    ]
    let (key, body) = ("key-\(random.next())", `The main job`.body(id, ["training": training]))
    let answer = try connection.ask("POST", "/v1/jobs", headers: ["Idempotency-Key: \(key)"], json: body)
    if answer.status == 429 { return }
    guard answer.status == 202, let job = try answer.json["id"]?.string, let model = try answer.json["model"]?.string else {
      Issue.record("a job: \(answer.status) \(answer.text)")
      return
    }
    ledger.submitted(job, model: model)
    ledger.keyed(key, body, answer.body)
  }

  private mutating func cancel(_ connection: KeptConnection) throws {
    guard let job = ledger.randomJob(&random) else { return }
    let answer = try connection.ask("POST", "/v1/jobs/\(job)/cancel")
    if answer.status == 202 { ledger.cancelled(job) } else { #expect(answer.status == 409, "a cancel: \(answer.text)") }
  }

  private mutating func pause(_ connection: KeptConnection) throws {
    guard let job = ledger.randomJob(&random) else { return }
    let verb = random.next() % 2 == 0 ? "pause" : "resume"
    let answer = try connection.ask("POST", "/v1/jobs/\(job)/\(verb)")
    if ![202, 409].contains(answer.status) { Issue.record("a \(verb): \(answer.status) \(answer.text)") }
  }

  /// The newest checkpoint that there is, or none.
  private mutating func pin(_ connection: KeptConnection) throws {
    guard let model = ledger.randomModel(&random) else { return }
    let path = "/v1/models/\(model)/checkpoints"
    guard let step = try connection.ask("GET", path).json["data"]?.array?.first?["step"]?.integer else { return }
    let answer = try connection.ask("PATCH", "\(path)/\(step)", json: ["pinned": true])
    // Training may just have removed it, and no more than so many may be pinned.
    if ![200, 404, 409].contains(answer.status) { Issue.record("a pin: \(answer.status) \(answer.text)") }
    if answer.status == 200 { ledger.pinned("\(path)/\(step)") }
  }

  private mutating func deleteDataset(_ connection: KeptConnection) throws {
    let id = try dataset(connection, Int(random.next() % 4))
    guard !id.isEmpty else { return }
    ledger.dataset(id, isThere: nil)
    let answer = try connection.ask("DELETE", "/v1/datasets/\(id)")
    ledger.dataset(id, isThere: answer.status == 204 ? false : true)
    if answer.status != 204 && answer.status != 409 { Issue.record("a deletion: \(answer.status) \(answer.text)") }
  }
}
