import Files
import JSON
import Models
import Tensors
import Training

/// What some steps of plain gradient descent read and leave, for a comparison with another library (Tests/BenchTests/Peers).
///
/// A class, because a case's work and the one who asked for it write into the same list.
final class BenchTrace {
  static let steps = 10
  /// So small that steps do not carry rounding's differences further apart than it makes them.
  static let learningRate: Float = 0.001

  /// `input.*`, what the steps read; `before.*`, weights; `gradient.*`, of the first step; `after.*`, weights after the last.
  private(set) var tensors: [NamedTensor] = []

  func add(_ name: String, _ tensor: Tensor) { tensors.append(NamedTensor(name, tensor)) }

  /// Takes the steps and writes them down as safetensors.
  static func write(_ benchCase: BenchCase, to path: String, _ team: ThreadTeam) throws {
    let trace = BenchTrace()
    let step = benchCase.prepare(team, trace)
    for _ in 0..<steps { _ = step() }
    let metadata = ["case": benchCase.name, "steps": "\(steps)", "learning_rate": "\(learningRate)"]
    try Disk.replace(path, with: Safetensors(metadata: metadata, tensors: trace.tensors).encoded())
  }
}
