import Files
import JSON

/// What the head of a checkpoint's file tells of it, without its tensors being read.
package struct CheckpointHead: Sendable, Equatable {
  /// Of the whole file: 64 digits.
  package let digest: String
  package let epoch: Int
  package let validationNats: Double?

  /// A head holds names, shapes and some kilobytes of metadata.
  private static let bytesMax = 1 << 24

  package init(path: String) throws(CheckpointError) { try self.init(Self.bytes(of: path), path: path) }

  private init(_ bytes: [UInt8], path: String) throws(CheckpointError) {
    let metadata: [String: String]
    do { metadata = try Safetensors.metadata(ofHeader: bytes) } catch { throw .file(path: path, error) }
    guard let digest = metadata[Safetensors.digestKey] else { throw .metadata(path: path, key: Safetensors.digestKey, detail: "absent") }
    // Text that is no JSON is no progress either.
    guard let text = metadata["progress"], let json = try? JSONValue(parsing: text), let progress = TrainingProgress(json: json) else {
      throw .metadata(path: path, key: "progress", detail: "absent or not as this program writes it")
    }
    self.digest = digest
    epoch = progress.epoch
    validationNats = progress.validationNats
  }

  /// Reads the whole file and throws where its bytes are not those that were written. In pieces: a checkpoint may be larger than what the
  /// caller has of memory.
  package static func verify(path: String) throws(CheckpointError) {
    let bytes = try bytes(of: path)
    let head = try CheckpointHead(bytes, path: path)
    do {
      try Safetensors.check(head.digest, ofFile: path, head: bytes)
    } catch let error as Errno {
      throw .unreadable(error)
    } catch {
      throw .file(path: path, .digest)
    }
  }

  private static func bytes(of path: String) throws(CheckpointError) -> [UInt8] {
    do {
      let file = try OpenFile(reading: path)
      var bytes = [UInt8](repeating: 0, count: 8)
      guard try file.read(into: &bytes, 0..<8, at: 0) == 8, let length = bytes.littleEndian(UInt64.self, at: 0) else {
        throw SafetensorsError.cutOff(bytes: 0, needed: 8)
      }
      guard length <= UInt64(bytesMax) else { throw SafetensorsError.headerLength(length) }
      bytes += [UInt8](repeating: 0, count: Int(length))
      let count = try file.read(into: &bytes, 8..<bytes.count, at: 8)
      return Array(bytes[..<(8 + count)])
    } catch let error as Errno {
      throw .unreadable(error)
    } catch let error as SafetensorsError {
      throw .file(path: path, error)
    } catch {
      throw .file(path: path, .digest)
    }
  }
}
