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
