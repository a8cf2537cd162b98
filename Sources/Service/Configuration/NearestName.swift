/// The known name that somebody who mistyped most likely meant.
enum NearestName {
  /// - Returns: nil when even the nearest differs by more than a third of what was typed (at least two letters).
  static func of(_ typed: String, among known: [String]) -> String? {
    // Beyond any key's length nothing is near, and the distance costs the product of the lengths.
    guard typed.utf8.count <= 64 else { return nil }
    let ranked = known.map { (name: $0, distance: distance(typed.lowercased(), $0.lowercased())) }
    guard let nearest = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return nearest.distance <= max(2, typed.count / 3) ? nearest.name : nil
  }

  /// Letters inserted, removed, replaced or swapped with their neighbour (optimal string alignment).
  static func distance(_ a: String, _ b: String) -> Int {
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
