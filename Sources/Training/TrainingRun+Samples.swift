import Files
import Images
import Tensors

/// The pictures that a run makes on its way, in the folder of its job.
package enum EpochSamples {
  package static func name(epoch: Int) -> String { "samples-\(epoch).png" }
}

extension TrainingRun {
  /// Draws the same 64 samples after every so many epochs, so that one sees them grow better: `samples-EPOCH.png` in the job's folder.
  func drawSamplesIfDue() {
    guard let every = task.settings.sampleEveryEpochs, progress.batch == 0, progress.epoch % every == 0 else { return }
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
    } catch {
      log.warning("no samples of epoch \(progress.epoch): \(error)")
    }
  }
}
