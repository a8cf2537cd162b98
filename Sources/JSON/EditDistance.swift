/// How many letters stand between what was written and what was meant, so that a refusal can name the nearest known word.
package enum EditDistance {
  /// The name among `names` that is nearest to `word`, if it is near enough to be what was meant: at most a third of the word's letters
  /// differ, or two. Case does not count.
  package static func nearest(to word: String, among names: [String]) -> String? {
    // Beyond any known name's length nothing is near, and the distance costs the product of the lengths.
    guard word.utf8.count <= 64 else { return nil }
    let near = names.map { (name: $0, distance: between(word.lowercased(), $0.lowercased())) }.min { $0.distance < $1.distance }
    guard let near, near.distance <= max(2, word.count / 3), near.distance < near.name.count else { return nil }
    return near.name
  }

  /// The least number of letters inserted, removed, replaced, or swapped with their neighbour (Damerau 1964, optimal string alignment).
  package static func between(_ a: String, _ b: String) -> Int {
    let a = Array(a.utf8)
    let b = Array(b.utf8)
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
        row.append(best)
      }
      beforeLast = last
      last = row
    }
    return last[b.count]
  }
}
