import JSON
import Tensors

/// The safetensors format (huggingface.co/docs/safetensors): u64 little-endian, the header's length; a JSON header; the tensors' bytes.
///
/// The header maps each tensor's name to `{"dtype", "shape", "data_offsets"}` and `__metadata__` to strings. Tensors lie back to back.
/// This writer and reader know float32 alone, little-endian, which is what every kernel here computes in.
///
/// A file of ours also carries a SHA-256 of itself in its metadata, taken with the digest's own 64 letters as zeros, so that a single
/// changed bit anywhere is seen. Other programs read past it.
package struct Safetensors: Sendable, Equatable {
  package var metadata: [String: String]
  package var tensors: [NamedTensor]

  package init(metadata: [String: String], tensors: [NamedTensor]) {
    self.metadata = metadata
    self.tensors = tensors
  }

  static let digestKey = "sha256"
  static let metadataKey = "__metadata__"
  /// The reference implementation's bound.
  static let headerBytesMax = 100_000_000
}

/// Why bytes are no safetensors file that we can use.
package enum SafetensorsError: Error, Hashable, CustomStringConvertible {
  case cutOff(bytes: Int, needed: Int)
  case headerLength(UInt64)
  case header(String)
  case tensor(name: String, detail: String)
  case digest

  package var description: String {
    switch self {
    case .cutOff(let bytes, let needed): "safetensors: the file is cut off: \(bytes) bytes, where \(needed) are needed"
    case .headerLength(let length): "safetensors: a header of \(length) bytes; 2 to \(Safetensors.headerBytesMax) are allowed"
    case .header(let detail): "safetensors: header: \(detail)"
    case .tensor(let name, let detail): "safetensors: tensor \"\(name)\": \(detail)"
    case .digest: "safetensors: the file is damaged: its SHA-256 is not the one that was written"
    }
  }
}
