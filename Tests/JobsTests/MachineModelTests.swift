import Dispatch
import Files
import Foundation
import JSON
import Jobs
import Testing

/// Random verbs, worker's ends, drains and deaths of the server against a model of the machine that fits a page: after every step the
/// record, the queue and the workers at work must be as the model says.
///
/// `FOUNT_ROUNDS` multiplies the steps, `FOUNT_SEED` sets the first of four seeds; each is printed, and in a failure's text.
@Suite(.serialized) struct MachineModelTests {
  private static let seeds: [UInt64] = {
    let first = ProcessInfo.processInfo.environment["FOUNT_SEED"].flatMap(UInt64.init) ?? 1
    return (0..<4).map { first &+ $0 }
  }()

  @Test(arguments: seeds)
  func `whatever is asked and whatever dies, jobs stand as the model says`(seed: UInt64) throws {
    let rounds = ProcessInfo.processInfo.environment["FOUNT_ROUNDS"].flatMap(Int.init) ?? 1
    print("machine model: FOUNT_SEED=\(seed)")
    var walk = try MachineWalk(seed: seed)
    for step in 1...(400 * rounds) {
      let what = try walk.step()
      try walk.compare("seed \(seed), step \(step): \(what)", looksAtFinished: step.isMultiple(of: 50))
    }
  }
}

/// Workers that do nothing by themselves: the test says when one ends, and how.
final class ManualEngine: Engine {
  struct Worker: Sendable {
    let attempt: Attempt
    let end: @Sendable (Termination) -> Void
    var isAsked = false
  }

  let workers = Shared<[String: Worker]>([:])

  func start(
    _ attempt: Attempt, queue: DispatchQueue, onExit: @escaping @Sendable (Termination) -> Void
  ) throws -> RunningWorker {
    let worker = Worker(attempt: attempt) { status in queue.async { onExit(status) } }
    workers.change { $0[attempt.job] = worker }
    return RunningWorker(
      terminate: { [workers] in workers.change { $0[attempt.job]?.isAsked = true } }, kill: { worker.end(.signalled(SIGKILL)) })
  }

  /// The worker goes; what it wrote before is in its folder.
  func end(_ job: String, _ status: Termination) {
    let worker = workers.value[job]
    workers.change { $0[job] = nil }
    worker?.end(status)
  }
}

/// One job as the model has it.
private struct ModelJob {
  let id: String
  let owner: String
  let priority: Int
  var history: [JobStatus] = [.queued]
  var attempt = 0
  var deaths = 0
  /// Its worker has told of a checkpoint that nobody has heard of yet.
  var hasUnheardCheckpoint = false
  /// Its worker has left a result that nobody has heard of yet: success or failure.
  var unheardResult: JobStatus?
  var status: JobStatus { history.last ?? .queued }

  mutating func enter(_ status: JobStatus) { history.append(status) }

  mutating func hear() {
    if hasUnheardCheckpoint { deaths = 0 }
    hasUnheardCheckpoint = false
  }
}

private struct MachineWalk {
  private static let workersMax = 2
  private var random: SplitMix
  private let folder: TemporaryFolder
  private var place: Workplace
  private var engine: ManualEngine
  private var jobs: [ModelJob] = []
  /// Those that were finished when they were last looked at.
  private var finished: Set<String> = []
  /// Owners in the order of their next turns.
  private var round: [String] = []

  init(seed: UInt64) throws {
    random = SplitMix(state: seed)
    folder = try TemporaryFolder()
    let engine = ManualEngine()
    self.engine = engine
    place = try Workplace({ _ in engine }, in: folder, workersMax: Self.workersMax, restSeconds: 0)
    try place.pool.start()
  }

  private mutating func number(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

  /// Does one thing, to the pool and to the model.
  mutating func step() throws -> String {
    if jobs.filter({ !$0.status.isFinished }).count < 3 { return try submit() }
    switch number(20) {
    case 0...3: return try submit()
    case 4...11: return try verb()
    case 12: return try checkpoint()
    case 13...17: return try endWorker()
    case 18: return try restart(politely: true)
    default: return try restart(politely: false)
    }
  }

  private mutating func submit() throws -> String {
    let job = ModelJob(id: "job_\(jobs.count)", owner: "owner_\(number(3))", priority: number(3))
    _ = try place.record.submit(.training(job.id, owner: job.owner, priority: job.priority))
    place.pool.wake()
    if !round.contains(job.owner) { round.append(job.owner) }
    jobs.append(job)
    fill()
    return "submit \(job.id)"
  }

  private mutating func verb() throws -> String {
    let index = number(4) == 0 ? number(jobs.count) : max(0, jobs.count - 1 - number(8))
    let (verb, row) = JobStatusTests.verbs[number(JobStatusTests.verbs.count)]
    let column = try #require(JobStatusTests.columns.firstIndex(of: jobs[index].status))
    let cell = String(row.split(separator: " ")[column])
    let what = "\(verb) of \(jobs[index].id), \(jobs[index].status)"
    do {
      let answer = try place.pool.apply(verb, to: jobs[index].id)
      #expect(answer.status.rawValue == cell, "\(what)")
    } catch let refusal as VerbRefused {
      #expect(cell == "-", "\(what): \(refusal)")
    }
    if let status = JobStatus(rawValue: cell), status != jobs[index].status { jobs[index].enter(status) }
    fill()
    return what
  }

  /// Those with a worker.
  private var atWork: [Int] { jobs.indices.filter { jobs[$0].status.hasWorker } }

  private mutating func checkpoint() throws -> String {
    guard let index = atWork.randomElement(using: &random) else { return "nothing" }
    let job = jobs[index]
    let line = #"{"attempt":\#(job.attempt),"type":"checkpoint","step":\#(job.history.count)}"# + "\n"
    try OpenFile(appending: folder.folder(of: job.id).events).write(Array(line.utf8).span)
    jobs[index].hasUnheardCheckpoint = true
    return "checkpoint of \(job.id)"
  }

  private func leaveResult(_ status: JobStatus, of job: ModelJob) throws {
    let text = #"{"attempt":\#(job.attempt),"status":"\#(status.rawValue)","failure":{"reason":"diverged","detail":"x"}}"#
    try Disk.replace(folder.folder(of: job.id).result, with: Array(text.utf8))
  }

  private mutating func endWorker() throws -> String {
    guard let index = atWork.randomElement(using: &random) else { return "nothing" }
    let id = jobs[index].id
    jobs[index].hear()
    var end = "exit"
    switch number(4) {
    case 0:
      end = "success"
      try leaveResult(.succeeded, of: jobs[index])
      jobs[index].enter(jobs[index].status == .cancelling ? .cancelled : .succeeded)
    case 1:
      end = "failure"
      try leaveResult(.failed, of: jobs[index])
      jobs[index].enter(jobs[index].status == .cancelling ? .cancelled : .failed)
    default: stop(index)
    }
    engine.end(id, end == "exit" && number(2) == 0 ? .signalled(SIGSEGV) : .exited(code: 0))
    fill()
    return "\(end) of \(id)"
  }

  /// A worker goes without a result: as asked, or not.
  private mutating func stop(_ index: Int) {
    switch jobs[index].status {
    case .cancelling: jobs[index].enter(.cancelled)
    case .pausing: jobs[index].enter(.paused)
    default:
      jobs[index].deaths += 1
      if jobs[index].deaths == 3 {
        jobs[index].enter(.failed)
      } else {
        jobs[index].enter(.interrupted)
        jobs[index].enter(.queued)
      }
    }
  }

  /// The server goes, and another comes to its folder. Without a word, what its workers have told last is left unheard.
  private mutating func restart(politely: Bool) throws -> String {
    if politely {
      let isDrained = Shared(false)
      place.pool.drain { isDrained.change { $0 = true } }
      for index in atWork {
        try eventually("it is asked to stop") { engine.workers.value[jobs[index].id]?.isAsked == true }
        jobs[index].hear()
        if jobs[index].status == .running { jobs[index].enter(.interrupted) } else { stop(index) }
        engine.end(jobs[index].id, .exited(code: 0))
      }
      try eventually("the pool is drained") { isDrained.value }
    } else {
      for index in atWork {
        if number(3) == 0 {
          jobs[index].unheardResult = number(2) == 0 ? .succeeded : .failed
          try leaveResult(jobs[index].unheardResult ?? .failed, of: jobs[index])
        }
        switch jobs[index].status {
        case .cancelling: leave(index, as: .cancelled)
        case .pausing: leave(index, as: jobs[index].unheardResult ?? .paused)
        default: jobs[index].enter(.interrupted)
        }
      }
    }
    for index in jobs.indices where jobs[index].status == .interrupted { jobs[index].enter(.queued) }
    let next = ManualEngine()
    engine = next
    place = try Workplace({ _ in next }, in: folder, workersMax: Self.workersMax, restSeconds: 0)
    try place.pool.start()
    fill()
    return politely ? "drain and start" : "death and start"
  }

  /// The next server hears what the worker of a job that was to leave has left.
  private mutating func leave(_ index: Int, as status: JobStatus) {
    jobs[index].hear()
    jobs[index].unheardResult = nil
    jobs[index].enter(status)
  }

  /// The model's queue: owners take turns, each with its job of the highest priority, the oldest among equals.
  private func next(_ jobs: [ModelJob], _ round: [String]) -> Int? {
    for owner in round {
      let queued = jobs.indices.filter { jobs[$0].status == .queued && jobs[$0].owner == owner }
      if let first = queued.max(by: { (jobs[$0].priority, -$0) < (jobs[$1].priority, -$1) }) { return first }
    }
    return nil
  }

  private mutating func claim(_ index: Int) {
    round.removeAll { $0 == jobs[index].owner }
    round.append(jobs[index].owner)
    jobs[index].attempt += 1
    jobs[index].enter(.running)
  }

  private mutating func fill() {
    while atWork.count < Self.workersMax, let index = next(jobs, round) {
      claim(index)
      jobs[index].hear()
      if let result = jobs[index].unheardResult { jobs[index].enter(result) }
      jobs[index].unheardResult = nil
    }
  }

  /// Waits for the pool to come to rest where the model is.
  /// - Parameter looksAtFinished: at the jobs that were finished before this step too; there come to be hundreds.
  mutating func compare(_ what: String, looksAtFinished: Bool) throws {
    let looked = looksAtFinished ? jobs : jobs.filter { !finished.contains($0.id) }
    finished.formUnion(looked.filter(\.status.isFinished).map(\.id))
    let wanted = Dictionary(atWork.map { (jobs[$0].id, jobs[$0].attempt) }, uniquingKeysWith: { first, _ in first })
    let deadline = ContinuousClock.now + .seconds(20)
    while true {
      let atWork = engine.workers.value.mapValues(\.attempt.number)
      let found = try looked.map { try place.record.job($0.id) }
      if atWork == wanted, zip(looked, found).allSatisfy({ Self.agree($0, $1) }) { break }
      guard ContinuousClock.now < deadline else {
        Issue.record("\(what): at work \(atWork), wanted \(wanted)")
        for (job, found) in zip(looked, found) where !Self.agree(job, found) {
          let (attempt, deaths) = (found?.attempt ?? 0, found?.deathsSinceCheckpoint ?? 0)
          Issue.record("\(job.id) is \(found?.path ?? []), attempt \(attempt), \(deaths) deaths; the model: \(job)")
        }
        throw WaitedInVain()
      }
      Thread.sleep(forTimeInterval: 0.0005)
    }
    try comparePositions(what)
  }

  private static func agree(_ job: ModelJob, _ found: JobRecord?) -> Bool {
    guard let found else { return false }
    let isHeard = !job.hasUnheardCheckpoint
    return found.path == job.history && found.attempt == job.attempt && (!isHeard || found.deathsSinceCheckpoint == job.deaths)
  }

  private mutating func comparePositions(_ what: String) throws {
    var rest = self
    var position = 0
    while let index = next(rest.jobs, rest.round), position < 5 {
      let found = try place.record.queuePosition(of: rest.jobs[index].id)
      #expect(found == position, "\(what): the position of \(rest.jobs[index].id)")
      rest.claim(index)
      position += 1
    }
  }
}
