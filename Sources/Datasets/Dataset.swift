import Files
import JSON

/// Decoded examples, mapped: pages are read as they are touched, and shared by every process that trains on them.
package struct Dataset: Sendable {
  package let description: DatasetDescription
  fileprivate let file: MappedFile
  /// Where the numbers begin.
  private let start: Int
  /// Where the labels' numbers begin, if there are labels.
  fileprivate let labelStart: Int

  package var count: Int { description.count }
  package var shape: ExampleShape { description.shape }

  /// - Parameter path: an `examples.npy` that `decode` wrote; one that is not what its description says is refused.
  package init(mapping path: String, description: DatasetDescription) throws(DatasetError) {
    let header = NPY.header(dimensions: description.dimensions, element: description.element)
    do { file = try MappedFile(path) } catch { throw DatasetError(path: path, detail: error.description) }
    let matches = file.withBytes { bytes in
      bytes.count >= header.count && header.indices.allSatisfy { bytes[$0] == header[$0] }
    }
    let labelBytes =
      description.classes == nil ? 0 : NPY.header(dimensions: [description.count], type: NPY.labelType).count + 2 * description.count
    guard matches, let values = Sizes.product(description.dimensions + [description.element.bytes]),
      file.count - header.count - labelBytes == values
    else {
      throw DatasetError(path: path, detail: "does not hold what its description says: \(description.json.serialized())")
    }
    self.description = description
    start = header.count
    labelStart = file.count - 2 * description.count
  }

  /// Maps what `decode` wrote in a folder.
  package init(folder: String) throws(DatasetError) {
    let path = "\(folder)/\(DecodedFolder.descriptionName)"
    let bytes: [UInt8]
    do { bytes = try Disk.read(path, bytesMax: DecodedFolder.descriptionBytesMax) } catch {
      throw DatasetError(path: path, detail: error.description)
    }
    // What is wrong with a description that this program wrote itself does not matter; that it is wrong does.
    guard let json = try? JSONValue(parsing: bytes), let description = DatasetDescription(json: json) else {
      throw DatasetError(path: path, detail: "is no description of a dataset")
    }
    try self.init(mapping: "\(folder)/\(DecodedFolder.examplesName)", description: description)
  }

  /// Copies examples in the order asked for, their numbers as they were uploaded, each example row-major.
  /// - Parameters:
  ///   - indices: each from 0 to below `count`; one may come again.
  ///   - destination: `[indices.count, dims]`.
  package func copyExamples(_ indices: some Collection<Int>, into destination: inout MutableSpan<Float>) {
    let dims = shape.dims
    precondition(destination.count == indices.count * dims, "\(indices.count) examples of \(dims) into \(destination.count)")
    file.withBytes { bytes in
      var place = 0
      for index in indices {
        precondition((0..<count).contains(index), "example \(index) of \(count)")
        let from = start + index * dims * description.element.bytes
        switch description.element {
        case .uint8: Numbers.widen(bytes, from: from, count: dims, into: &destination, at: place)
        case .float32: Numbers.load(bytes, from: from, count: dims, into: &destination, at: place)
        }
        place += dims
      }
    }
  }

  /// The bytes of one example of a uint8 dataset, row-major.
  package func bytes(ofExample index: Int) -> [UInt8] {
    precondition(description.element == .uint8, "an example of \(description.element) has no bytes")
    precondition((0..<count).contains(index), "example \(index) of \(count)")
    let dims = shape.dims
    return file.withBytes { bytes in [UInt8](copying: bytes, from: start + index * dims, count: dims) }
  }
}

extension Dataset {
  /// The places of examples' classes in `description.classes`; nil where there are no labels.
  package func labels(of indices: some Collection<Int>) -> [Int]? {
    guard description.classes != nil else { return nil }
    return file.withBytes { bytes in
      indices.map { index in
        precondition((0..<count).contains(index), "example \(index) of \(count)")
        return Int(bytes[labelStart + 2 * index]) | Int(bytes[labelStart + 2 * index + 1]) << 8
      }
    }
  }
}

/// A decoded dataset that is absent or damaged.
package struct DatasetError: Error, Hashable, CustomStringConvertible {
  package let path: String
  package let detail: String

  package var description: String { "\(path): \(detail)" }
}

/// The names of what `decode` writes.
package enum DecodedFolder {
  package static let examplesName = "examples.npy"
  package static let descriptionName = "dataset.json"
  /// The names of 4 096 classes, each of 128 bytes, and room.
  package static let descriptionBytesMax = 4 << 20
}
