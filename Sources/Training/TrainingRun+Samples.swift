import Files
import Images
import Tensors

/// The pictures that a run makes on its way, in the folder of its job.
package enum EpochSamples {
  /// A run keeps no more than these. Chosen: more than anybody looks through, and some tens of megabytes.
  static let countMax = 128

  package static func name(epoch: Int) -> String { "samples-\(epoch).png" }

  /// The epochs from one picture to the next, as far as a run has come: as many as were asked for, and twice as many whenever there would
  /// be more than `countMax` pictures. A run's epochs alone decide it, so that one which was stopped goes on as if it never had been.
  static func interval(asked every: Int, atEpoch epoch: Int) -> Int {
    var interval = every
    while epoch / interval > countMax { interval *= 2 }
    return interval
  }

  /// The epochs of the pictures in a job's folder; none in one that is not there yet.
  package static func epochs(in folder: String) throws(Errno) -> [Int] {
    guard Disk.exists(folder) else { return [] }
    return try Disk.list(folder).compactMap { name in
      guard name.hasPrefix("samples-"), name.hasSuffix(".png"), let epoch = Int(name.dropFirst(8).dropLast(4)),
        name == self.name(epoch: epoch)
      else { return nil }
      return epoch
    }.sorted()
  }
}

extension TrainingRun {
  /// Draws the same 64 samples after every so many epochs, so that one sees them grow better: `samples-EPOCH.png` in the job's folder. Of
  /// a long run those are removed that lie between the ones which are still made.
  func drawSamplesIfDue() {
    guard let every = task.settings.sampleEveryEpochs, progress.batch == 0 else { return }
    let interval = EpochSamples.interval(asked: every, atEpoch: progress.epoch)
    guard progress.epoch % interval == 0 else { return }
    guard case .image = data.preparation.shape else { return }
    let name = EpochSamples.name(epoch: progress.epoch)
    do {
      let (shape, drawing) = (data.preparation.shape, Drawing(preparation: data.preparation))
      let pixels = Drawing.drawn(0..<64, by: model, dims: shape.dims, temperature: 1, using: randomness, drawing.pixels)
      let tiles = try Drawing.pictures(pixels, of: shape)
      let texts = [
        (keyword: "model", text: job.model), (keyword: "seed", text: String(job.seed)), (keyword: "count", text: "64"),
        (keyword: "step", text: String(progress.step)),
      ]
      try Disk.replace("\(folder)/\(name)", with: encodePNG(try grid(tiles, columns: 8), text: texts))
      log.samples(step: progress.step, epoch: progress.epoch, file: name)
      for epoch in try EpochSamples.epochs(in: folder) where epoch % interval != 0 {
        try Disk.removeTree("\(folder)/\(EpochSamples.name(epoch: epoch))")
      }
    } catch {
      log.warning("no samples of epoch \(progress.epoch): \(error)")
    }
  }
}
