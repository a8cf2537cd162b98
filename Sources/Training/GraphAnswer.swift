import JSON
import Models
import ONNX

/// One pass of a model as an ONNX file, with what its numbers mean beside it.
struct GraphAnswer {
  let loaded: LoadedModel
  let model: String

  /// 256 MiB of weights, which are several times in memory while the file is made; and no reader takes a file of more than 2 GiB.
  private static let numbersMax = 1 << 26

  func frame() throws -> SamplerFrame {
    let graph = try graph()
    guard graph.numberCount <= Self.numbersMax else {
      throw SamplerFailure(.unsupported, "the graph has \(graph.numberCount) numbers; \(Self.numbersMax) at most go into a file")
    }
    let metadata = [
      "family": loaded.family, "model": model, "step": String(loaded.step), "seed": String(loaded.seed),
      "preparation": loaded.preparation.json.serialized(),
    ]
    return SamplerFrame(
      header: ["content_type": "application/octet-stream"],
      payload: graph.encoded(producer: (name: "fount", version: Checkpoint.formatVersion), metadata: metadata))
  }

  private func graph() throws -> Graph {
    guard let writer = loaded.model as? any WritesGraph else {
      throw SamplerFailure(.unsupported, "a model of the family \(loaded.family), as it is configured, does not draw in single passes")
    }
    do throws(NoGraph) {
      return try writer.graph()
    } catch {
      throw SamplerFailure(.unsupported, "there is no single pass to write down: \(error.detail)")
    }
  }
}
