import HTTP
import JSON
import Synchronization

/// A request for a job that is held until there is news for it, on no thread of its own.
///
/// A class for its identity: the watch, the client's end and the answer share it.
final class HeldJobRequest: Sendable {
  private struct State {
    var token: Int?
    var isOver = false
  }

  private let watch: JobWatch
  /// The answer when there is news; nil holds on.
  private let answer: @Sendable (JobWatch.Reason) throws -> Response?
  private let reply: FountService.Reply
  private let state = Mutex(State())

  init(watch: JobWatch, reply: @escaping FountService.Reply, answer: @escaping @Sendable (JobWatch.Reason) throws -> Response?) {
    self.watch = watch
    self.reply = reply
    self.answer = answer
  }

  func hold(for job: String, seconds: Int) {
    let token = watch.add(job: job, until: .now + .seconds(seconds)) { self.look($0) }
    let isOver = state.withLock { state in
      state.token = token
      return state.isOver
    }
    if isOver { watch.remove(token) }
  }

  /// The client has gone, or has its answer.
  func end() {
    let token = state.withLock { state in
      state.isOver = true
      return state.token
    }
    if let token { watch.remove(token) }
  }

  private func look(_ reason: JobWatch.Reason) {
    guard !state.withLock({ $0.isOver }) else { return }
    do {
      guard let response = try answer(reason) else { return }
      reply(.success(response))
    } catch {
      reply(.failure(error))
    }
    end()
  }
}
