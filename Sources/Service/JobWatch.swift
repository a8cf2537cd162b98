import Foundation
import Synchronization

/// Those who wait for a job's news, and the one thread on which they look for it: a held request and a stream of events cost no thread of
/// their own, and what is changed by the second is looked at once for all that came between.
///
/// A class because it owns the thread.
final class JobWatch: Sendable {
  /// Why a watcher is to look.
  enum Reason { case news, deadline }

  private struct Watcher {
    let job: String
    let deadline: ContinuousClock.Instant?
    let look: @Sendable (Reason) -> Void
  }

  private struct State {
    var watchers: [Int: Watcher] = [:]
    var watchersOfJob: [String: Set<Int>] = [:]
    var toLook: Set<Int> = []
    var nextToken = 1
    var isDraining = false
    /// When the thread will be woken, as far as is arranged.
    var alarm: ContinuousClock.Instant?
  }

  private let state = Mutex(State())
  private let ready = DispatchSemaphore(value: 0)
  /// Wakes the thread at deadlines. By the monotonic clock, where a semaphore's own timeout is by the time of day here, which may be set
  /// while somebody waits.
  private let alarms = DispatchQueue(label: "fount.watch")

  init() {
    let ready = ready
    let thread = Thread { [weak self] in
      while true {
        ready.wait()
        guard let self else { return }
        self.round()
      }
    }
    thread.name = "fount-watch"
    thread.start()
  }

  /// The thread ends with its owner.
  deinit { ready.signal() }

  /// From now on `look` is called on the watch's thread after each change of the job, once right now, and once when the time is up; it
  /// must not wait for anything but the record.
  /// - Returns: what `remove` and `wake` take.
  func add(job: String, until deadline: ContinuousClock.Instant? = nil, look: @escaping @Sendable (Reason) -> Void) -> Int {
    let token = state.withLock { state in
      let token = state.nextToken
      state.nextToken += 1
      state.watchers[token] = Watcher(job: job, deadline: deadline, look: look)
      state.watchersOfJob[job, default: []].insert(token)
      state.toLook.insert(token)
      return token
    }
    ready.signal()
    return token
  }

  /// A look that is under way may still come to its end.
  func remove(_ token: Int) {
    state.withLock { state in
      guard let watcher = state.watchers.removeValue(forKey: token) else { return }
      state.toLook.remove(token)
      state.watchersOfJob[watcher.job]?.remove(token)
      if state.watchersOfJob[watcher.job]?.isEmpty == true { state.watchersOfJob[watcher.job] = nil }
    }
  }

  /// One watcher has a reason of its own to look.
  func wake(_ token: Int) { wake { $0.watchers[token] == nil ? [] : [token] } }

  /// Something of the job has changed.
  func changed(_ job: String) { wake { $0.watchersOfJob[job] ?? [] } }

  /// The server leaves: for all who wait, and will, the time is up.
  func drain() {
    wake { state in
      state.isDraining = true
      return Set(state.watchers.keys)
    }
  }

  var count: Int { state.withLock { $0.watchers.count } }

  private func wake(_ tokens: (inout State) -> Set<Int>) {
    let isFirst = state.withLock { state in
      let wasEmpty = state.toLook.isEmpty
      state.toLook.formUnion(tokens(&state))
      return wasEmpty && !state.toLook.isEmpty
    }
    if isFirst { ready.signal() }
  }

  /// Has the thread woken at the next deadline, unless it will be earlier anyway.
  private func setAlarm(_ state: inout State, _ now: ContinuousClock.Instant) {
    if let alarm = state.alarm, alarm <= now { state.alarm = nil }
    guard let next = state.watchers.values.compactMap(\.deadline).filter({ $0 > now }).min() else { return }
    if let alarm = state.alarm, alarm <= next { return }
    state.alarm = next
    let milliseconds = Int(now.duration(to: next) / .milliseconds(1)) + 1
    alarms.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [ready] in ready.signal() }
  }

  private func round() {
    let due = state.withLock { state in
      let now = ContinuousClock.now
      setAlarm(&state, now)
      var due: [(look: @Sendable (Reason) -> Void, reason: Reason)] = []
      for (token, watcher) in state.watchers {
        let isLate = watcher.deadline.map { state.isDraining || $0 <= now } ?? false
        if isLate { due.append((watcher.look, .deadline)) } else if state.toLook.contains(token) { due.append((watcher.look, .news)) }
      }
      state.toLook = []
      return due
    }
    for (look, reason) in due { look(reason) }
  }
}
