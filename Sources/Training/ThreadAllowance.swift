import JSON

/// How many threads a job may have: a matter of the server's machine. What the job computes does not depend on it.
package struct ThreadAllowance: Sendable {
  /// What a job that asks for no number gets.
  package let unasked: Int
  package let most: Int

  package init(unasked: Int = 1, most: Int = TrainingLimits.threadsMax) {
    self.most = min(most, TrainingLimits.threadsMax)
    self.unasked = min(unasked, self.most)
  }

  /// The field `threads` of an object.
  func read(_ fields: FieldReader) -> Int { fields.integer("threads", in: 1...most) ?? unasked }
}
