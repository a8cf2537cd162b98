import Files
import Foundation
import Images
import JSON

/// `fount sampler`: draws, scores and makes pictures for the server, over a socket that it inherited.
///
/// Nothing that a frame asks ends the process, but bytes that are no frame do: where the next one begins is then unknown.
package enum SamplerCommand {
  /// Answers frames in order until the other side closes the socket.
  ///
  /// - Parameters:
  ///   - fileDescriptor: a connected stream socket.
  ///   - memoryBytesMax: what this process may allocate beyond what it has at its start; nil sets no limit.
  ///   - cacheBytesMax: of the models that are kept in memory.
  /// - Returns: the process's exit status: 0 when the server closed the socket.
  package static func run(fileDescriptor: Int32, memoryBytesMax: Int? = nil, cacheBytesMax: Int = 1 << 30) -> Int32 {
    // A refusal leaves the limit that the parent set, which is no reason not to work.
    if let memoryBytesMax { try? ResourceLimit.data.set(bytesBeyondPresent: memoryBytesMax) }
    let stream = SocketStream(descriptor: fileDescriptor)
    var reader = SamplerFrameReader()
    var models = LoadedModels(bytesMax: cacheBytesMax)
    do {
      while let bytes = try stream.receive() {
        reader.append(bytes)
        while let frame = try reader.next() { try stream.send(answer(frame, models: &models).encoded()) }
      }
      return EXIT_SUCCESS
    } catch let error as Errno where error.code == EPIPE || error.code == ECONNRESET {
      return EXIT_SUCCESS
    } catch {
      StandardError.write(line: "sampler: \(error)")
      return EX_PROTOCOL
    }
  }

  /// sysexits.h
  private static let EX_PROTOCOL: Int32 = 76

  private static func answer(_ frame: SamplerFrame, models: inout LoadedModels) -> SamplerFrame {
    do {
      return try answer(request(frame), models: &models)
    } catch let failure as SamplerFailure {
      return failure.frame
    } catch let error as PictureError {
      return SamplerFailure(.tooLarge, error.description).frame
    } catch {
      return SamplerFailure(.badRequest, "\(error)").frame
    }
  }

  private static func request(_ frame: SamplerFrame) throws -> SamplerRequest {
    let faults = Faults()
    guard let request = SamplerRequest(reader: FieldReader(frame.header, faults: faults)) else {
      throw SamplerFailure(.badRequest, faults.all.map { "\($0.pointer) \($0.detail)" }.joined(separator: "; "))
    }
    return request
  }

  private static func load(_ checkpoint: String, _ models: inout LoadedModels) throws -> LoadedModel {
    try models.model(checkpoint: checkpoint, threads: 1)
  }

  private static func answer(_ request: SamplerRequest, models: inout LoadedModels) throws -> SamplerFrame {
    switch request {
    case .sample(let samples):
      let loaded = try models.model(checkpoint: samples.checkpoint, threads: samples.threads)
      return try SampleAnswer(request: samples, loaded: loaded).frame()
    case .neighbours(let asked):
      let loaded = try models.model(checkpoint: asked.samples.checkpoint, threads: asked.samples.threads)
      return try NeighboursAnswer(request: asked, loaded: loaded).frame()
    case .score(let score):
      let loaded = try models.model(checkpoint: score.checkpoint, threads: score.threads)
      let likelihood = try models.likelihood(checkpoint: score.checkpoint, threads: score.threads)
      return try ScoreAnswer(request: score, loaded: loaded, likelihood: likelihood).frame()
    case .encode(let asked):
      return try ExamplesAnswer(loaded: load(asked.checkpoint, &models), model: asked.model, form: asked.form).encode(asked.dataset)
    case .reconstruct(let asked):
      return try ExamplesAnswer(loaded: load(asked.checkpoint, &models), model: asked.model, form: asked.form).reconstruct(asked.dataset)
    case .interpolate(let asked):
      return try ExamplesAnswer(loaded: load(asked.checkpoint, &models), model: asked.model, form: asked.form)
        .interpolate(asked)
    case .complete(let asked):
      return try ExamplesAnswer(loaded: load(asked.checkpoint, &models), model: asked.model, form: asked.form).complete(asked)
    case .filters(let asked):
      return try ExamplesAnswer(loaded: load(asked.checkpoint, &models), model: asked.model, form: asked.form).filters(count: asked.count)
    case .graph(let asked): return try GraphAnswer(loaded: load(asked.checkpoint, &models), model: asked.model).frame()
    case .importing(let sent): return try ImportAnswer(request: sent).frame()
    case .preview(let preview):
      return try PreviewAnswer(request: preview).frame()
    }
  }
}
