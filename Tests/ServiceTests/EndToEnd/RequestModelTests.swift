import Foundation
import JSON
import Testing

/// Random requests to a server that runs no job, against a model of what it keeps: every answer's status, and every list, as the model
/// says. Restarts and kills come in between and change nothing. What workers add to the machine is another suite's, at the pool itself.
///
/// `FOUNT_ROUNDS` multiplies the requests, `FOUNT_SEED` sets the seed, which is printed; a failure names it and the request.
@Suite struct `Thousands of random requests` {
  @Test func `are answered as a model of the service says, over restarts and kills`() throws {
    let seed = Seeds.seed(of: "random requests", otherwise: 7)
    var walk = try RequestWalk(seed: seed)
    for number in 1...(2000 * Seeds.rounds) {
      do {
        try walk.step()
      } catch {
        Issue.record("seed \(seed), request \(number), after \(walk.log.suffix(5)): \(error)")
        throw error
      }
      if number.isMultiple(of: 100) { try walk.compareLists("seed \(seed), after request \(number)") }
      if number.isMultiple(of: 500) { try walk.restart(politely: number.isMultiple(of: 1000)) }
    }
    try walk.checkFolder()
  }
}

private struct RequestWalk {
  struct Job {
    let id: String
    let model: String
    let dataset: String
    var status = "queued"
    var history = ["queued"]
    var isFinished: Bool { status == "cancelled" }
  }

  struct Keyed {
    let body: JSONValue
    let answer: Data
  }

  private(set) var log: [String] = []
  private let folder: TemporaryFolder
  private var fount: FountProcess
  private var connection: KeptConnection
  private var random: SeededRandom
  private var jobs: [Job] = []
  private var models: Set<String> = []
  /// By the number of the upload that made it.
  private var datasets: [Int: String] = [:]
  private var keys: [String: Keyed] = [:]
  private static let waitingMax = 40

  init(seed: UInt64) throws {
    folder = try TemporaryFolder()
    random = SeededRandom(state: seed)
    fount = try Self.start(folder)
    connection = try KeptConnection(port: fount.port)
  }

  private static func start(_ folder: TemporaryFolder) throws -> FountProcess {
    try FountProcess(data: folder.path, flags: ["--workers", "0", "--queued-jobs-max", "\(waitingMax)"])
  }

  private mutating func number(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

  private mutating func ask(
    _ method: String, _ path: String, headers: [String] = [], json: JSONValue? = nil, body: [UInt8] = [], wants status: Int
  ) throws -> Answer {
    log.append("\(method) \(path) \(headers.joined())")
    let answer =
      try json.map { try connection.ask(method, path, headers: headers, json: $0) }
      ?? connection.ask(method, path, headers: headers, body: body)
    try #require(answer.status == status, "\(method) \(path) \(headers): \(answer.status) \(answer.text), wanted \(status)")
    return answer
  }

  mutating func step() throws {
    switch number(20) {
    case 0: try upload()
    case 1: try deleteDataset()
    case 2: try deleteModel()
    case 3...6: try submit()
    case 7: try submitWithKey()
    case 8...16: try verb()
    default: try look()
    }
  }

  private mutating func upload() throws {
    let index = number(6)
    let bytes = SampleData.barsAndStripes(side: 3, copies: 1 + index)
    let answer = try ask("POST", "/v1/datasets", body: bytes, wants: datasets[index] == nil ? 201 : 200)
    let id = try #require(try answer.json["id"]?.string)
    if let known = datasets[index] { #expect(id == known) }
    datasets[index] = id
  }

  private mutating func deleteDataset() throws {
    let index = number(6)
    guard let id = datasets[index] else {
      _ = try ask("DELETE", "/v1/datasets/ds_aaaaaaaaaaaaaaaa", wants: 404)
      return
    }
    let isHeld = jobs.contains { $0.dataset == id && !$0.isFinished }
    _ = try ask("DELETE", "/v1/datasets/\(id)", wants: isHeld ? 409 : 204)
    if !isHeld {
      datasets[index] = nil
      _ = try ask("GET", "/v1/datasets/\(id)", wants: 404)
    }
  }

  private mutating func deleteModel() throws {
    guard !jobs.isEmpty else { return }
    let job = jobs[number(jobs.count)]
    let status = !models.contains(job.model) ? 404 : job.isFinished ? 204 : 409
    _ = try ask("DELETE", "/v1/models/\(job.model)", wants: status)
    if status == 204 { models.remove(job.model) }
  }

  private var isFull: Bool { jobs.count { !$0.isFinished } >= Self.waitingMax }

  private mutating func body() -> (dataset: String, JSONValue)? {
    guard let id = datasets.values.sorted().randomElement(using: &random) else { return nil }
    return (id, `The main job`.body(id, ["priority": .integer(number(3)), "name": .string("n\(number(1000))")]))
  }

  private mutating func submit() throws {
    guard let (dataset, body) = body() else { return }
    let answer = try ask("POST", "/v1/jobs", json: body, wants: isFull ? 429 : 202)
    if isFull { #expect(answer.headers["retry-after"] != nil) } else { try add(answer, dataset) }
  }

  private mutating func add(_ answer: Answer, _ dataset: String) throws {
    let json = try answer.json
    let job = Job(id: try #require(json["id"]?.string), model: try #require(json["model"]?.string), dataset: dataset)
    #expect(json["status"] == "queued" && json["queue"]?["reason"] == "no_workers")
    jobs.append(job)
    models.insert(job.model)
  }

  /// A new key, an old one with its own request, or an old one with another.
  private mutating func submitWithKey() throws {
    let key = "key-\(number(30))"
    guard let (dataset, body) = body() else { return }
    if let known = keys[key] {
      let isSame = number(2) == 0
      let answer = try ask(
        "POST", "/v1/jobs", headers: ["Idempotency-Key: \(key)"], json: isSame ? known.body : body,
        wants: isSame || body == known.body ? 202 : 422)
      if isSame { #expect(answer.body == known.answer && answer.headers["idempotency-replayed"] == "true") }
      return
    }
    let answer = try ask("POST", "/v1/jobs", headers: ["Idempotency-Key: \"\(key)\""], json: body, wants: isFull ? 429 : 202)
    guard answer.status == 202 else { return }
    try add(answer, dataset)
    keys[key] = Keyed(body: body, answer: answer.body)
  }

  /// What the interface says of jobs that no worker has touched; nil is a 409.
  private static let machine: [String: [String: String]] = [
    "cancel": ["queued": "cancelled", "paused": "cancelled", "cancelled": "cancelled"],
    "pause": ["queued": "paused", "paused": "paused"],
    "resume": ["paused": "queued", "queued": "queued"],
  ]

  private mutating func verb() throws {
    guard !jobs.isEmpty else { return }
    let index = number(3) == 0 ? number(jobs.count) : max(0, jobs.count - 1 - number(30))
    let verb = ["cancel", "pause", "resume", "pause", "resume"][number(5)]
    let after = Self.machine[verb]?[jobs[index].status]
    let answer = try ask("POST", "/v1/jobs/\(jobs[index].id)/\(verb)", wants: after == nil ? 409 : 202)
    guard let after else { return }
    #expect(try answer.json["status"] == .string(after))
    if after != jobs[index].status { jobs[index].history.append(after) }
    jobs[index].status = after
  }

  private mutating func look() throws {
    guard !jobs.isEmpty else { return }
    try compare(jobs[number(jobs.count)])
    _ = try ask("POST", "/v1/jobs/job_aaaaaaaaaaaaaaaa/cancel", wants: 404)
  }

  private mutating func compare(_ job: Job) throws {
    let json = try ask("GET", "/v1/jobs/\(job.id)", wants: 200).json
    #expect(json["status"] == .string(job.status), "\(job.id)")
    let history = json["history"]?.array ?? []
    #expect(history.map { $0["status"]?.string } == job.history, "\(job.id)")
    let times = history.compactMap { $0["at"]?.string }
    #expect(times.count == history.count && times == times.sorted(), "\(job.id)")
    #expect((json["queue"] == .null) == (job.status != "queued"))
  }

  /// Every job, and every dataset, each once.
  mutating func compareLists(_ when: String) throws {
    var seen: [String] = []
    var next = "/v1/jobs?limit=100"
    while true {
      let page = try ask("GET", next, wants: 200).json
      seen += (page["data"]?.array ?? []).map { "\($0["id"]?.string ?? "") \($0["status"]?.string ?? "")" }
      guard let after = page["next"]?.string else { break }
      next = "/v1/jobs?limit=100&after=\(after)"
    }
    #expect(seen == jobs.reversed().map { "\($0.id) \($0.status)" }, "\(when)")
    let listed = try ask("GET", "/v1/datasets?limit=100", wants: 200).json["data"]?.array ?? []
    #expect(Set(listed.map { $0["id"]?.string ?? "" }) == Set(datasets.values), "\(when)")
    let queued = jobs.filter { $0.status == "queued" }
    let positions = try queued.map { try ask("GET", "/v1/jobs/\($0.id)", wants: 200).json["queue"]?["position"]?.integer ?? -1 }
    #expect(positions.sorted() == Array(0..<queued.count), "\(when)")
  }

  mutating func restart(politely: Bool) throws {
    log.append(politely ? "SIGTERM" : "SIGKILL")
    if politely { #expect(fount.stop() == 0) } else { fount.kill() }
    fount = try Self.start(folder)
    connection = try KeptConnection(port: fount.port)
  }

  /// Blobs are those of the datasets, and the check finds nothing.
  func checkFolder() throws {
    #expect(fount.stop() == 0)
    let check = try Program.run(FountProcess.executable, ["check", "--data", folder.path])
    #expect(check.status == 0, "\(check.output)\(check.errors)")
  }
}

/// Reproducible numbers (SplitMix64, Steele et al., OOPSLA 2014).
struct SeededRandom: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
