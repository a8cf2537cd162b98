/// The formats that an upload may have.
package enum UploadFormat: String, Sendable, CaseIterable {
  case idx, npy
  /// A ZIP, or a TAR, of NPY and IDX arrays.
  case npz
  case safetensors, csv
  /// CIFAR's binary version, one file or its TAR.
  case cifar10, cifar100
  /// A ZIP or TAR of PNG and JPEG pictures.
  case images
}

/// What a client may say of an upload beside its bytes. With the bytes it makes the examples: it is a part of what a dataset is.
package struct DecodeOptions: Sendable, Hashable {
  /// What the upload must be; nil lets its content tell.
  package var format: UploadFormat?
  /// Which array of several holds the examples, or which part of CIFAR.
  package var array: String?
  /// Which array, or which column of a table, holds the labels.
  package var labels: String?
  /// The sides that pictures of different sizes are brought to.
  package var resize: Sides?

  package init() {}

  package struct Sides: Sendable, Hashable {
    package let height: Int
    package let width: Int

    /// As in `28x28`, the height first; nil where it is no such text, or a side is not 1 … 4096.
    package init?(_ text: String) {
      let sides = text.split(separator: "x", omittingEmptySubsequences: false).compactMap { Int($0) }
      guard sides.count == 2, text.utf8.count <= 9, sides.allSatisfy((1...4096).contains) else { return nil }
      (height, width) = (sides[0], sides[1])
    }

    package init(height: Int, width: Int) { (self.height, self.width) = (height, width) }

    package var text: String { "\(height)x\(width)" }
  }

  /// Throws where an option has no meaning for an upload of that format, or the upload must be of another.
  func check(_ found: UploadFormat) throws(DecodeError) {
    if let format, format != found {
      throw DecodeError(.unsupported, "the upload", "format says \(format.rawValue), and the upload is \(found.rawValue)")
    }
    let unused: [(String, Bool, [UploadFormat])] = [
      ("array", array != nil, [.npz, .safetensors, .cifar10, .cifar100]), ("labels", labels != nil, [.npz, .safetensors, .csv]),
      ("resize", resize != nil, [.images]),
    ]
    for (name, isGiven, formats) in unused where isGiven && !formats.contains(found) {
      let known = formats.map(\.rawValue).joined(separator: ", ")
      throw DecodeError(.unsupported, "the upload", "is \(found.rawValue), and \(name) has a meaning for \(known) alone")
    }
  }
}

extension DecodeOptions {
  /// The same as a decoder's arguments.
  package var arguments: [String] {
    let all = [("--format", format?.rawValue), ("--array", array), ("--labels", labels), ("--resize", resize?.text)]
    return all.flatMap { flag, value in value.map { [flag, $0] } ?? [] }
  }
}
