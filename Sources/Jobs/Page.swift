/// A part of a list, newest first.
package struct Page<Item: Sendable>: Sendable {
  package var items: [Item]
  /// What `after` takes to read on; nil at the end.
  package var next: String?
  package var hasMore: Bool { next != nil }

  package init(items: [Item], next: String?) {
    self.items = items
    self.next = next
  }
}
