/// The connections of a shard by their next deadline: a binary heap that lets go lazily.
///
/// A deadline that moves later, as nearly all do, costs nothing: the entry stays, and is put back when it comes up too early. So
/// a busy connection enters the heap about once in an idle timeout and not once a request.
struct DeadlineQueue {
  struct Entry {
    let nanoseconds: UInt64
    let token: ConnectionToken
  }

  private var heap: [Entry] = []

  var next: UInt64? { heap.first?.nanoseconds }

  mutating func insert(_ entry: Entry) {
    heap.append(entry)
    var index = heap.count - 1
    while index > 0 {
      let parent = (index - 1) / 2
      guard heap[index].nanoseconds < heap[parent].nanoseconds else { return }
      heap.swapAt(index, parent)
      index = parent
    }
  }

  /// The earliest entry when its time has come.
  mutating func takeDue(at now: UInt64) -> Entry? {
    guard let first = heap.first, first.nanoseconds <= now else { return nil }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var index = 0
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2] where child < heap.count && heap[child].nanoseconds < heap[least].nanoseconds {
        least = child
      }
      guard least != index else { return first }
      heap.swapAt(index, least)
      index = least
    }
  }
}
