import Dispatch
import Files
import Foundation
import JSON
import Jobs
import Logging
import Synchronization
import Training

/// A few warm `fount sampler` children that draw, score and make pictures.
///
/// Each has a thread of ours that speaks with it, one request at a time. A request whose deadline passes, or whose client is gone, ends
/// with its child, and the next one starts a new child: no model's code can hold the service.
/// A class because it owns the threads.
final class Samplers: Sendable {
  typealias Completion = @Sendable (Result<SamplerFrame, any Error>) -> Void

  private struct Work: Sendable {
    let request: SamplerRequest
    let ticket: Ticket
    let completion: Completion
  }

  private let executable: String
  private let configuration: ServiceConfiguration
  private let logger: Logger
  private let queue = DispatchQueue(label: "fount.samplers")
  private let waiting = Mutex<[Work]>([])
  private let ready = DispatchSemaphore(value: 0)

  /// Requests that may wait for a sampler; chosen: at a second each the last waits about a minute.
  private static let waitingMax = 64

  init(executable: String, configuration: ServiceConfiguration, logger: Logger) {
    self.executable = executable
    self.configuration = configuration
    self.logger = logger
    for index in 0..<configuration.samplers {
      let thread = Thread { [weak self] in self?.serve() }
      thread.name = "fount-sampler-\(index)"
      thread.start()
    }
  }

  /// Hands the request to the next free sampler. The ticket ends it early.
  func submit(_ request: SamplerRequest, completion: @escaping Completion) -> Ticket {
    let ticket = Ticket()
    let isTaken = waiting.withLock { waiting in
      guard waiting.count < Self.waitingMax else { return false }
      waiting.append(Work(request: request, ticket: ticket, completion: completion))
      return true
    }
    if isTaken {
      // Counted from here: a client does not care whether its request waits or is worked on.
      queue.asyncAfter(deadline: .now() + .seconds(configuration.requestSecondsMax)) { ticket.end(.deadline) }
      ready.signal()
    } else {
      completion(.failure(Problem(.serviceUnavailable, "too many requests wait for a sampler", headers: [.retryAfter: "5"])))
    }
    return ticket
  }

  /// How many requests wait.
  var depth: Int { waiting.withLock { $0.count } }

  private func serve() {
    var sampler: SamplerChild?
    while true {
      ready.wait()
      guard let work = waiting.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { continue }
      work.completion(Result { try answer(work, by: &sampler) })
      work.ticket.detach()
    }
  }

  /// Asks the child that is there, or a new one. A child that was idle may have died since: then a new one is asked once more.
  private func answer(_ work: Work, by sampler: inout SamplerChild?) throws -> SamplerFrame {
    while true {
      // It may have ended while it waited.
      if let ending = work.ticket.ending { throw error(of: ending) }
      let isWarm = sampler != nil
      let current = try sampler ?? SamplerChild(executable, configuration, queue: queue)
      sampler = current
      work.ticket.attach(current.child)
      do {
        return try current.exchange(work.request.frame)
      } catch {
        let exit = current.end()
        sampler = nil
        if let ending = work.ticket.ending { throw self.error(of: ending) }
        if isWarm { continue }
        logger.error(
          "a sampler died",
          metadata: [
            "request": "\(work.request.json.serialized())", "error": "\(error)", "status": "\(exit.map { "\($0.status)" } ?? "unknown")",
            "errors": "\(exit?.errors.text ?? "")",
          ])
        throw problem(of: exit, memoryRanOut: OutOfMemoryKills.happened(since: current.memoryKillsBefore))
      }
    }
  }

  /// What is told of a sampler that died at a request.
  private func problem(of exit: ChildExit?, memoryRanOut: Bool) -> Problem {
    switch exit.map({ DeathCause(of: $0.status, words: $0.errors.text, memoryRanOut: memoryRanOut) }) {
    case .memoryLimit:
      let detail = "this takes more than the \(configuration.samplerMemoryBytesMax) bytes of memory that a sampler may have; ask for less"
      return Problem(.insufficientStorage, detail)
    case .memoryKill:
      return Problem(.serviceUnavailable, "the machine's memory ran out; ask for less, or later", headers: [.retryAfter: "60"])
    case .killed: return Problem(.serviceUnavailable, "the sampler was killed from outside; ask again", headers: [.retryAfter: "1"])
    case .crash, .processorTime, nil: return Problem(.internalServerError, "the sampler died of this request")
    }
  }

  private func error(of ending: Ticket.Ending) -> any Error {
    switch ending {
    case .clientGone: return ClientGone()
    case .deadline:
      let detail = "this takes longer than the \(configuration.requestSecondsMax) s that a request may take"
      return Problem(.serviceUnavailable, detail, headers: [.retryAfter: "60"])
    }
  }
}

/// One sampler process and the channel to it. A class because it owns both.
private final class SamplerChild {
  let child: ChildProcess
  let memoryKillsBefore = OutOfMemoryKills.count()
  private let channel: SocketStream
  private let exit: ExitNote
  private var reader = SamplerFrameReader()

  init(_ executable: String, _ configuration: ServiceConfiguration, queue: DispatchQueue) throws {
    let launch = ChildLaunch(
      executable: executable,
      arguments: [
        "sampler", "--memory-bytes", String(configuration.samplerMemoryBytesMax),
        "--cache-bytes", String(configuration.samplerCacheBytesMax),
      ], errors: .captured(bytesMax: 16 << 10), hasChannel: true)
    let exit = ExitNote()
    self.exit = exit
    child = try ChildProcess(launch, queue: queue) { exit.note($0) }
    channel = SocketStream(descriptor: child.channel)
  }

  deinit {
    child.kill()
    close(child.channel)
  }

  /// Ends the child where it has not ended, and tells how it did; nil where that can't be learnt in time.
  func end() -> ChildExit? {
    // One whose channel has closed is about to be a zombie: killed a moment too early it would seem killed from outside.
    if let found = exit.wait(seconds: 1) { return found }
    child.kill()
    return nil
  }

  /// Sends a frame and waits for its answer; throws when the child's end closes first.
  func exchange(_ frame: SamplerFrame) throws -> SamplerFrame {
    try channel.send(frame.encoded())
    while true {
      if let answer = try reader.next() { return answer }
      guard let bytes = try channel.receive() else { throw Errno(code: EPIPE, operation: "recv", path: "sampler \(child.pid)") }
      reader.append(bytes)
    }
  }
}

/// How a child ended, told from its queue to a thread that waits. A class because both share it.
private final class ExitNote: Sendable {
  private let noted = Mutex<ChildExit?>(nil)

  func note(_ exit: ChildExit) { noted.withLock { $0 = exit } }

  /// Looks again and again: a semaphore's timeout is by the time of day here, which may be set meanwhile.
  func wait(seconds: Double) -> ChildExit? {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
      if let exit = noted.withLock({ $0 }) { return exit }
      if ContinuousClock.now >= end { return nil }
      Thread.sleep(forTimeInterval: 0.005)
    }
  }
}

extension Samplers {
  /// A request's claim on a sampler. A class for its identity: the deadline, the client's end and the thread share it.
  final class Ticket: Sendable {
    enum Ending: Sendable { case deadline, clientGone }

    private struct State {
      var ending: Ending?
      var child: ChildProcess?
      var isDone = false
    }

    private let state = Mutex(State())

    var ending: Ending? { state.withLock { $0.ending } }

    /// Ends the request if it has no answer yet, and the child that works on it.
    func end(_ ending: Ending) {
      state.withLock { state in
        guard !state.isDone, state.ending == nil else { return }
        state.ending = ending
        state.child?.kill()
      }
    }

    fileprivate func attach(_ child: ChildProcess) {
      state.withLock { state in
        state.child = child
        if state.ending != nil { child.kill() }
      }
    }

    fileprivate func detach() {
      state.withLock { state in
        state.child = nil
        state.isDone = true
      }
    }
  }
}

/// The client went away before it had its answer, so that nobody is left to be told anything.
struct ClientGone: Error {}
