/// How many letters stand between what was written and what was meant (Levenshtein 1966), so that a refusal can name the nearest word.
package enum EditDistance {
  /// The name among `names` that is nearest to `word`, if it is near enough to be what was meant: a third of its letters at the most.
  package static func nearest(to word: String, among names: [String]) -> String? {
    let near = names.map { (name: $0, distance: between(word, $0)) }.min { $0.distance < $1.distance }
    guard let near, near.distance <= max(1, near.name.count / 3) else { return nil }
    return near.name
  }

  /// The least number of insertions, deletions and replacements. Words beyond 64 letters are cut there: nothing depends on the rest.
  package static func between(_ a: String, _ b: String) -> Int {
    let a = Array(a.prefix(64))
    let b = Array(b.prefix(64))
    var row = Array(0...b.count)
    for (i, letter) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, other) in b.enumerated() {
        let replaced = diagonal + (letter == other ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[b.count]
  }
}
