import Datasets
import Foundation
import JSON
import Testing
import Training

/// A sampler that puts samples beside the training examples that are nearest to them.
@Suite struct `The nearest training examples` {
  let scratch: Scratch
  let dataset: DatasetFile
  let bytes: [UInt8]
  let checkpoint: ModelCheckpoint
  static let dims = 36

  init() throws {
    scratch = try Scratch()
    bytes = stripes(150)
    dataset = try scratch.dataset("stripes", shape: smallPicture, bytes: bytes)
    let attempts = try Attempts(scratch, "a")
    try attempts.writeTraining(training: ["epochs": 2, "validation_fraction": 0.4], dataset: dataset)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest()) == 0)
    checkpoint = try #require(try attempts.model.current())
  }

  private func samples(_ count: Int, _ format: SamplerRequest.Format) -> SamplerRequest.Samples {
    .init(checkpoint: checkpoint.path, model: "mdl_test", selection: .first(count: count, columns: nil), seed: 4, format: format)
  }

  private func neighbours(_ count: Int, fraction: Double, _ client: SamplerClient) throws -> [JSONValue] {
    let request = SamplerRequest.Neighbours(samples: samples(count, .json), dataset: dataset, validationFraction: fraction)
    let frame = try client.ask(.neighbours(request))
    return try #require(try JSONValue(parsing: frame.payload)["neighbours"]?.array)
  }

  /// By looking at every example: the first of the least number of bits that differ.
  private func nearest(to sample: some Collection<UInt8>, among examples: [Int]) -> (example: Int, bits: Int)? {
    let distances = examples.map { example in
      (example: example, bits: zip(sample, bytes[example * Self.dims..<(example + 1) * Self.dims]).count { ($0 > 0) != ($1 > 0) })
    }
    return distances.min { ($0.bits, $0.example) < ($1.bits, $1.example) }
  }

  @Test(arguments: [0, 0.4]) func `are those that a look at each finds, of those that trained alone`(fraction: Double) throws {
    let client = try SamplerClient()
    let drawn = try client.ask(.sample(samples(20, .npy))).payload.suffix(20 * Self.dims)
    let training = ValidationSplit(try Dataset(mapping: dataset.path, description: dataset.description), fraction: fraction).training
    #expect(fraction == 0 ? training.count == 150 : (70...120).contains(training.count))
    let told = try neighbours(20, fraction: fraction, client)
    #expect(told.count == 20)
    for (sample, neighbour) in told.enumerated() {
      let start = drawn.startIndex + sample * Self.dims
      let expected = try #require(nearest(to: drawn[start..<start + Self.dims], among: training))
      #expect(neighbour["sample"]?.integer == sample && neighbour["example"]?.integer == expected.example)
      // Bits differ by 0 or 1, so that the square is a count.
      #expect(abs((neighbour["distance"]?.number ?? -1) - Double(expected.bits).squareRoot()) < 1e-12)
    }
  }

  @Test func `do not depend on how many samples are asked for`() throws {
    let client = try SamplerClient()
    #expect(try neighbours(3, fraction: 0.4, client) == Array(neighbours(20, fraction: 0.4, client).prefix(3)))
  }

  @Test func `of other data than the model was made for are refused`() throws {
    let client = try SamplerClient()
    let other = try scratch.dataset("wide", shape: .image(height: 1, width: 8, channels: 1), bytes: [UInt8](repeating: 1, count: 16))
    let request = SamplerRequest.Neighbours(samples: samples(2, .png), dataset: other, validationFraction: 0)
    let failure = try #require(SamplerFailure(answer: try client.ask(.neighbours(request))))
    #expect(failure.reason == .unsupported && failure.detail.contains("[6,6,1]"), "\(failure.detail)")
  }
}
