import Foundation
import Tensors
import Testing

/// Counts how often each block ran. Unchecked, because `lock` guards `counts`.
private final class Runs: @unchecked Sendable {
  private let lock = NSLock()
  private(set) var counts: [Int]

  init(blocks: Int) { counts = [Int](repeating: 0, count: blocks) }

  func note(_ block: Int) {
    lock.lock()
    counts[block] += 1
    lock.unlock()
  }
}

struct ThreadTeamTests {
  @Test(arguments: [1, 2, 4, 7])
  func `every block is run once`(threads: Int) {
    let team = ThreadTeam(count: threads)
    for blocks in [0, 1, 2, 3, 100] {
      for _ in 0..<50 {
        let runs = Runs(blocks: blocks)
        team.forEachBlock(of: blocks) { runs.note($0) }
        #expect(runs.counts == [Int](repeating: 1, count: blocks))
      }
    }
  }

  @Test func `results stand in the order of blocks`() {
    #expect(ThreadTeam(count: 3).map(blocks: 50) { $0 * $0 } == (0..<50).map { $0 * $0 })
  }

  @Test func `two callers share a team`() async {
    let team = ThreadTeam(count: 3)
    await withTaskGroup(of: [Int].self) { group in
      for _ in 0..<4 {
        group.addTask {
          let runs = Runs(blocks: 10)
          for _ in 0..<100 { team.forEachBlock(of: 10) { runs.note($0) } }
          return runs.counts
        }
      }
      for await counts in group { #expect(counts == [Int](repeating: 100, count: 10)) }
    }
  }
}
