/// What a model is made for: the shape and kind of its examples.
package struct ModelInput: Sendable, Hashable {
  package enum Kind: String, Sendable {
    /// 0 or 1.
    case bits
    /// 0…1 in steps of 1/255.
    case grey256
    /// Any finite number; models see them standardized.
    case real
  }

  package struct ImageShape: Sendable, Hashable {
    package let height: Int
    package let width: Int
    package let channels: Int

    package init(height: Int, width: Int, channels: Int) {
      self.height = height
      self.width = width
      self.channels = channels
    }
  }

  /// How many numbers an example has.
  package let dims: Int
  /// Nil for a table.
  package let imageShape: ImageShape?
  package let kind: Kind

  package init(dims: Int, imageShape: ImageShape? = nil, kind: Kind) {
    precondition(dims >= 1, "an example has at least one number, not \(dims)")
    precondition(
      imageShape.map { $0.height * $0.width * $0.channels == dims } ?? true, "\(String(describing: imageShape)) is not \(dims) numbers")
    self.dims = dims
    self.imageShape = imageShape
    self.kind = kind
  }
}
