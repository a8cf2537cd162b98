import Files
import JSON

/// Where a forked run begins: a checkpoint of another run, of the same model, data and seed, trained with other settings.
///
/// The checkpoint's file has a second name in the new model's folder, so that nothing that becomes of the other run can take it away.
package struct TrainingOrigin: Sendable, Equatable {
  package var path: String
  /// Of the run that wrote it: its batches done are counted in these.
  package var batchSize: Int

  package init(path: String, batchSize: Int) {
    self.path = path
    self.batchSize = batchSize
  }

  /// Its name in the new model's folder, where no pattern of a checkpoint's name fits it.
  package static let fileName = "origin.safetensors"

  var json: JSONValue { ["path": .string(path), "batch_size": .integer(batchSize)] }

  init?(reader: FieldReader) {
    reader.require(["path", "batch_size"])
    let path = reader.string("path")
    let batchSize = reader.integer("batch_size", in: 1...TrainingLimits.batchMax)
    reader.finish()
    guard let path, let batchSize else { return nil }
    self.init(path: path, batchSize: batchSize)
  }
}

extension TrainingProgress {
  /// Where a fork stands that goes on from here. Its time, its patience and its best are its own; of an epoch under way the whole new
  /// batches that have been seen count as done.
  ///
  /// - Parameter stepsPerEpoch: in batches of `batchSize`.
  func forked(batchSizeBefore: Int, batchSize: Int, stepsPerEpoch: Int) -> TrainingProgress {
    var progress = self
    progress.seconds = 0
    progress.best = nil
    progress.epochsSinceBest = 0
    if batchSize != batchSizeBefore {
      let (seen, overflow) = batch.multipliedReportingOverflow(by: batchSizeBefore)
      progress.batch = overflow ? stepsPerEpoch : min(seen / batchSize, stepsPerEpoch)
    }
    return progress
  }
}

/// What the head of a checkpoint's file tells: enough to judge whether a run can go on from it, without reading its tensors.
package struct CheckpointSummary: Sendable, Equatable {
  /// Steps done.
  package let step: Int
  /// Whole epochs done.
  package let epoch: Int

  /// A head holds names, shapes and some kilobytes of metadata.
  private static let headerBytesMax = 1 << 24

  package init(path: String) throws(CheckpointError) {
    do {
      let file = try OpenFile(reading: path)
      var bytes = [UInt8](repeating: 0, count: 8)
      _ = try file.read(into: &bytes, 0..<8, at: 0)
      let length = bytes.littleEndian(UInt64.self, at: 0) ?? 0
      guard length <= UInt64(Self.headerBytesMax) else { throw CheckpointError.file(path: path, .headerLength(length)) }
      bytes += [UInt8](repeating: 0, count: Int(length))
      let count = try file.read(into: &bytes, 8..<bytes.count, at: 8)
      let metadata = try Safetensors.metadata(ofHeader: Array(bytes[..<(8 + count)]))
      guard let text = metadata["progress"], let progress = TrainingProgress(json: try JSONValue(parsing: text)) else {
        throw CheckpointError.metadata(path: path, key: "progress", detail: "absent or not as this program writes it")
      }
      (step, epoch) = (progress.step, progress.epoch)
    } catch let error as CheckpointError {
      throw error
    } catch let error as Errno {
      throw .unreadable(error)
    } catch let error as SafetensorsError {
      throw .file(path: path, error)
    } catch {
      throw .metadata(path: path, key: "progress", detail: "\(error)")
    }
  }
}
