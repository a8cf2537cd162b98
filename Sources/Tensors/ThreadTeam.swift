/// The threads of a run. A class, because it owns threads.
///
/// Work comes in blocks whose number and borders never depend on how many threads there are, and every result belongs to one block: so a
/// team of any size computes the same bits.
package final class ThreadTeam: Sendable {
  /// How many threads work, the caller among them.
  package let count: Int

  package init(count: Int) {
    precondition((1...1024).contains(count), "a team of 1 to 1024 threads, not \(count)")
    self.count = count
  }

  /// Runs `work` for every block, and returns when all are done.
  package func forEachBlock(of blocks: Int, _ work: @Sendable (Int) -> Void) {
    for block in 0..<blocks { work(block) }
  }
}
