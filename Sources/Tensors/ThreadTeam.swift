import Foundation
import Synchronization

/// The threads of a run. A class, because it owns threads.
///
/// Work comes in blocks whose number and borders never depend on how many threads there are, and every result belongs to one block: so a
/// team of any size computes the same bits. Between two pieces of work a thread looks for the next one for some microseconds and then
/// parks on a condition: an idle team costs nothing. The caller works too, and waits only for threads that hold a block: one that the
/// system has not yet woken is not missed.
package final class ThreadTeam: Sendable {
  /// How many threads work, the caller among them.
  package let count: Int
  private let board: Board
  /// One piece of work at a time; held for the length of it.
  private let caller = NSLock()

  package init(count: Int) {
    precondition((1...1024).contains(count), "a team of 1 to 1024 threads, not \(count)")
    self.count = count
    let board = Board()
    self.board = board
    for number in 1..<count {
      let thread = Thread { board.serve() }
      thread.name = "team-\(number)"
      thread.start()
    }
  }

  deinit { board.end() }

  /// The caller alone: for work that is already one block of a team's.
  package static let alone = ThreadTeam(count: 1)

  /// Runs `work` for every block, in any order and on any thread, and returns when all are done.
  package func forEachBlock(of blocks: Int, _ work: @Sendable (Int) -> Void) {
    guard count > 1, blocks > 1 else {
      for block in 0..<max(blocks, 0) { work(block) }
      return
    }
    caller.lock()
    defer { caller.unlock() }
    withoutActuallyEscaping(work) { board.run($0, blocks: blocks) }
  }

  /// What `work` gives for each block, in the order of blocks.
  package func map<Result: Sendable>(blocks: Int, _ work: @Sendable (Int) -> Result) -> [Result] {
    let results = Results<Result>(count: blocks)
    forEachBlock(of: blocks) { results.put(work($0), at: $0) }
    return results.all.compactMap(\.self)
  }
}

/// What blocks give, in their order. Unchecked, because `lock` guards `all`; not a Mutex, which the thread sanitizer cannot see.
private final class Results<Result: Sendable>: @unchecked Sendable {
  private let lock = NSLock()
  private(set) var all: [Result?]

  init(count: Int) { all = [Result?](repeating: nil, count: count) }

  func put(_ result: Result, at block: Int) {
    lock.lock()
    all[block] = result
    lock.unlock()
  }
}

/// Where the caller pins its work and the threads find it. Unchecked, because the lock of `posted` guards every variable.
private final class Board: @unchecked Sendable {
  /// A piece of work: it hands out its blocks one by one. Unchecked, because `body` is only taken away once no thread holds the work.
  private final class Work: @unchecked Sendable {
    private var body: (@Sendable (Int) -> Void)?
    private let blocks: Int
    private let next = Atomic<Int>(0)

    init(blocks: Int, _ body: @escaping @Sendable (Int) -> Void) {
      self.blocks = blocks
      self.body = body
    }

    func takeBlocks() {
      while true {
        let block = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard block < blocks else { return }
        body?(block)
      }
    }

    /// The caller's closure does not outlive its call, though a thread may hold this object for some more instructions.
    func forgetBody() { body = nil }
  }

  /// Threads wait for `posted`, the caller alone for `finished`: who has news wakes those that the news is for.
  private let posted = NSCondition()
  private let finished = NSCondition()
  private var work: Work?
  private var sleeping = 0
  private var ended = false
  /// How many pieces of work there have been, and how many threads hold one now; changed under the lock, looked at without it.
  private let pieces = Atomic<Int>(0)
  private let holding = Atomic<Int>(0)
  /// Rounds of looking before parking, about 20 µs; chosen to outlast the gap between two products of a training step.
  private static let looks = 600

  func run(_ body: @escaping @Sendable (Int) -> Void, blocks: Int) {
    let mine = Work(blocks: blocks, body)
    posted.lock()
    work = mine
    pieces.wrappingAdd(1, ordering: .releasing)
    // The caller takes a block itself.
    for _ in 0..<min(sleeping, blocks - 1) { posted.signal() }
    posted.unlock()
    mine.takeBlocks()
    posted.lock()
    work = nil
    posted.unlock()
    // From here on no thread can take this work up; those that have it finish their block.
    var looked = 0
    while holding.load(ordering: .acquiring) > 0 && looked < Self.looks {
      Kernels.pause()
      looked += 1
    }
    finished.lock()
    while holding.load(ordering: .acquiring) > 0 { finished.wait() }
    finished.unlock()
    mine.forgetBody()
  }

  func serve() {
    var seen = 0
    while true {
      var looked = 0
      while pieces.load(ordering: .acquiring) == seen && looked < Self.looks {
        Kernels.pause()
        looked += 1
      }
      posted.lock()
      sleeping += 1
      while pieces.load(ordering: .relaxed) == seen && !ended { posted.wait() }
      sleeping -= 1
      seen = pieces.load(ordering: .relaxed)
      let mine = work
      if mine != nil { holding.wrappingAdd(1, ordering: .relaxed) }
      let over = ended
      posted.unlock()
      if over { return }
      guard let mine else { continue }
      mine.takeBlocks()
      if holding.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
        finished.lock()
        finished.signal()
        finished.unlock()
      }
    }
  }

  func end() {
    posted.lock()
    ended = true
    posted.broadcast()
    posted.unlock()
  }
}
