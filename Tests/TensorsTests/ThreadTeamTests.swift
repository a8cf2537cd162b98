import Synchronization
import Tensors
import Testing

struct ThreadTeamTests {
  @Test(arguments: [1, 2, 4, 7])
  func `every block is run once`(threads: Int) {
    let team = ThreadTeam(count: threads)
    for blocks in [0, 1, 2, 3, 100] {
      for _ in 0..<50 {
        let runs = Mutex([Int](repeating: 0, count: blocks))
        team.forEachBlock(of: blocks) { block in runs.withLock { $0[block] += 1 } }
        #expect(runs.withLock { $0 } == [Int](repeating: 1, count: blocks))
      }
    }
  }

  @Test func `results stand in the order of blocks`() {
    #expect(ThreadTeam(count: 3).map(blocks: 50) { $0 * $0 } == (0..<50).map { $0 * $0 })
  }

  @Test func `two callers share a team`() async {
    let team = ThreadTeam(count: 3)
    await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let sum = Mutex(0)
          for _ in 0..<100 { team.forEachBlock(of: 10) { block in sum.withLock { $0 += block } } }
          return sum.withLock { $0 }
        }
      }
      for await sum in group { #expect(sum == 4500) }
    }
  }
}
