import Synchronization

/// Counts how often tensors are given memory, so that a test can hold a training step to none after the first. A class, because those who
/// count share it.
package final class Allocations: Sendable {
  private let noted = Atomic<Int>(0)
  /// Whose tensors are counted: the task's that asked, and no other's.
  @TaskLocal private static var counting: Allocations?

  private init() {}

  /// How many tensors were made, or copied because another one shared their numbers, while `body` ran.
  package static func count(during body: () throws -> Void) rethrows -> Int {
    let allocations = Allocations()
    try $counting.withValue(allocations) { try body() }
    return allocations.noted.load(ordering: .relaxed)
  }

  static func note() { counting?.noted.wrappingAdd(1, ordering: .relaxed) }
}
