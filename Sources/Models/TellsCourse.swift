/// A number that tells of training beside its loss.
package struct Curve: Sendable, Hashable {
  package let name: String
  package let value: Double

  package init(_ name: String, _ value: Double) { (self.name, self.value) = (name, value) }
}

/// Families that tell more of their training than a loss.
package protocol TellsCourse: GenerativeModel {
  /// Means over the last steps; empty before the first.
  var curves: [Curve] { get }
  /// What is wrong with the training as it is now, for people; nil where nothing is.
  var complaint: String? { get }
}
