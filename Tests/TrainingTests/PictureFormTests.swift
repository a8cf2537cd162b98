import Datasets
import Foundation
import JSON
import Models
import Tensors
import Testing
import Training

@Suite struct `Pictures brought into a form` {
  private let colour = ExampleShape.image(height: 5, width: 4, channels: 3)

  private func scalars(_ file: DatasetFile, _ pictures: PictureForm, _ binarization: Binarization = .none) throws -> Tensor {
    let preparation = try Preparation.fitting(file.description, binarization: binarization, pictures: pictures).get()
    let dataset = try Dataset(mapping: file.path, description: file.description)
    #expect(Preparation(json: preparation.json) == preparation)
    return preparation.tensor(of: Array(0..<dataset.count), in: dataset, draw: .fixed, using: Philox(seed: 1))
  }

  @Test func `have the shape that the model is made for, and levels of bytes still`() throws {
    let scratch = try Scratch()
    let file = try scratch.dataset("x", shape: colour, bytes: (0..<120).map { UInt8($0 * 2) })
    let preparation = try Preparation.fitting(
      file.description, binarization: .none, pictures: PictureForm(resize: .init(height: 7, width: 2), grayscale: true)
    ).get()
    #expect(preparation.shape == .image(height: 7, width: 2, channels: 1) && preparation.kind == .grey256)
    #expect(preparation.input.dims == 14)
    let tensor = try scalars(file, preparation.pictures)
    #expect(tensor.shape == [2, 14])
    #expect(tensor.scalars.allSatisfy { abs(($0 * 255).rounded() / 255 - $0) < 1e-6 })
  }

  @Test func `are what Pillow makes of them`() throws {
    let scratch = try Scratch()
    let pixels = (0..<120).map { UInt8(truncatingIfNeeded: $0 &* 97 &+ $0 &* $0 &* 13) }
    let file = try scratch.dataset("x", shape: colour, bytes: pixels)
    try Data(pixels).write(to: URL(fileURLWithPath: scratch.path + "/pixels"))
    let program = """
      import sys
      import numpy as np
      from PIL import Image
      pixels = np.fromfile(sys.argv[1] + '/pixels', 'u1').reshape(2, 5, 4, 3)
      for name, change in dict(grey=lambda p: p.convert('L'), sides=lambda p: p.resize((6, 3), Image.BILINEAR),
                               both=lambda p: p.convert('L').resize((6, 3), Image.BILINEAR)).items():
          np.stack([np.asarray(change(Image.fromarray(p))) for p in pixels]).tofile(sys.argv[1] + '/' + name)
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = ["-c", program, scratch.path]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    let sides = DecodeOptions.Sides(height: 3, width: 6)
    for (name, form) in [
      ("grey", PictureForm(grayscale: true)), ("sides", PictureForm(resize: sides)), ("both", PictureForm(resize: sides, grayscale: true)),
    ] {
      let want = try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(scratch.path)/\(name)")))
      #expect(try scalars(file, form).scalars.map { UInt8(($0 * 255).rounded()) } == want, "\(name)")
    }
  }

  @Test func `stay bits where they are bits, and reals where they are reals`() throws {
    let scratch = try Scratch()
    let grey = ExampleShape.image(height: 2, width: 2, channels: 1)
    let half = PictureForm(resize: .init(height: 1, width: 1))
    let bits = try scratch.dataset("bits", shape: grey, bytes: [0, 0, 0, 255, 255, 0, 255, 255])
    #expect(try scalars(bits, half).scalars == [0, 1])
    let reals = try scratch.dataset("reals", shape: grey, floats: [0, 1, 2, 3, -4, 0, 0, 0])
    #expect(try scalars(reals, half).scalars == [1.5, -1])
  }

  @Test func `admit later examples of other sides, and of no other kind`() throws {
    let scratch = try Scratch()
    let file = try scratch.dataset("x", shape: colour, bytes: (0..<120).map { UInt8($0) })
    let form = PictureForm(resize: .init(height: 3, width: 3), grayscale: true)
    let preparation = try Preparation.fitting(file.description, binarization: .none, pictures: form).get()
    let larger = try scratch.dataset("y", shape: .image(height: 9, width: 8, channels: 1), bytes: (0..<72).map { UInt8($0) })
    #expect(preparation.refusal(of: larger.description) == nil)
    let table = try scratch.dataset("z", shape: .table(columns: 9), bytes: (0..<9).map { UInt8($0) })
    #expect(preparation.refusal(of: table.description)?.contains("[3,3,1]") == true)
  }

  @Test(arguments: [
    (#"{"resize": [28]}"#, "/data/resize"), (#"{"resize": [0, 28]}"#, "/data/resize"), (#"{"resize": [28, 5000]}"#, "/data/resize"),
    (#"{"resize": "28x28"}"#, "/data/resize"), (#"{"resize": [28.5, 28]}"#, "/data/resize"), (#"{"grayscale": 1}"#, "/data/grayscale"),
    (#"{"greyscale": true}"#, "/data/greyscale"), (#"{"resize": [4096, 4096]}"#, "/data/resize"),
  ])
  func `of fields that are wrong are refused at their field`(data: String, pointer: String) throws {
    let scratch = try Scratch()
    let file = try scratch.dataset("x", shape: colour, bytes: (0..<120).map { UInt8($0) })
    let faults = Faults()
    let reader = FieldReader(
      try JSONValue(parsing: #"{"family": "pixelcnn", "configuration": {"output": "logistic_mixture"}, "data": \#(data)}"#), faults: faults)
    #expect(TrainingRequest(reader: reader, dataset: file.description, validation: nil) == nil)
    #expect(faults.all.map(\.pointer) == [pointer], "\(faults.all)")
  }

  @Test func `are refused for a table, and survive the job's file`() throws {
    let scratch = try Scratch()
    let json = try JSONValue(
      parsing:
        #"{"family": "pixelcnn", "configuration": {"output": "logistic_mixture"}, "seed": 1, "#
        + #""data": {"resize": [3, 4], "grayscale": true}}"#
    )
    let table = try scratch.dataset("z", shape: .table(columns: 9), bytes: (0..<9).map { UInt8($0) })
    let faults = Faults()
    #expect(TrainingRequest(reader: FieldReader(json, faults: faults), dataset: table.description, validation: nil) == nil)
    #expect(faults.all.first?.detail.contains("rows of a table") == true)
    let file = try scratch.dataset("x", shape: colour, bytes: (0..<120).map { UInt8($0) })
    let request = try #require(TrainingRequest(reader: FieldReader(json, faults: Faults()), dataset: file.description, validation: nil))
    let again = FieldReader(.object(request.json), faults: Faults())
    #expect(TrainingRequest(reader: again, dataset: file.description, validation: nil)?.pictures == request.pictures)
    #expect(request.pictures == PictureForm(resize: .init(height: 3, width: 4), grayscale: true))
  }
}
