import Files
import JSON

/// A model's folder: its checkpoints, those of them that are pinned, and `model.json`, which says which of them is the model.
///
/// `model.json` changes after the checkpoint that it names is on disk and before an older one goes, so that at every moment it names a
/// file that is there.
package struct ModelFolder: Sendable {
  package let path: String

  package init(path: String) { self.path = path }

  /// What `model.json` says.
  package struct State: Sendable, Equatable {
    /// Whether training has ended; then the weights will not change again.
    package var isFinished: Bool
    /// The step that samples and scores: the newest while training, then the best by validation where there was one.
    package var step: Int
    package var newestStep: Int
    package var bestStep: Int?
  }

  package static let stateName = "model.json"

  var statePath: String { "\(path)/\(Self.stateName)" }
  /// Of a fork, the checkpoint that it begins with.
  package var originPath: String { "\(path)/\(TrainingOrigin.fileName)" }

  package func checkpointPath(step: Int) -> String { "\(path)/\(Self.prefix)\(step)\(Self.suffix)" }

  /// Nil before the first checkpoint.
  package func state() throws(CheckpointError) -> State? {
    let file = statePath
    guard Disk.exists(file) else { return nil }
    let bytes: [UInt8]
    do { bytes = try Disk.read(file, bytesMax: 1 << 16) } catch { throw .unreadable(error) }
    // What is wrong with a file that this program wrote itself does not matter; that it is wrong does.
    guard let json = try? JSONValue(parsing: bytes), let state = State(json: json) else { throw .state(path: file) }
    return state
  }

  /// The steps of all checkpoints in the folder, ascending.
  package func steps() throws(Errno) -> [Int] { try steps(named: Self.prefix) }

  func steps(named prefix: String) throws(Errno) -> [Int] {
    guard Disk.exists(path) else { return [] }
    return try Disk.list(path).compactMap { Self.step(ofName: $0, prefix) }.sorted()
  }

  private static let prefix = "checkpoint-"
  static let suffix = ".safetensors"

  /// The one pattern of a checkpoint's name; other files, such as those half written by a killed attempt, are not checkpoints.
  private static func step(ofName name: String, _ prefix: String) -> Int? {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix), name.utf8.count > prefix.utf8.count + suffix.utf8.count else { return nil }
    let digits = name.dropFirst(prefix.count).dropLast(suffix.count)
    guard let step = Int(digits), step >= 0, String(step) == digits else { return nil }
    return step
  }

  func write(_ state: State) throws(Errno) {
    try Disk.replace(statePath, with: state.json.serializedBytes())
  }

  /// Removes the checkpoints of every step but these.
  func keepOnly(_ kept: Set<Int>) throws(Errno) {
    for step in try steps() where !kept.contains(step) { try Disk.removeTree(checkpointPath(step: step)) }
  }
}

/// One of a model's checkpoints on disk.
package struct ModelCheckpoint: Sendable, Equatable {
  package let path: String
  package let step: Int
  /// Whether training has ended: the model will be this one for ever.
  package let isFinal: Bool
}

extension ModelFolder.State {
  package var json: JSONValue {
    [
      "status": isFinished ? "finished" : "training", "step": .integer(step), "newest_step": .integer(newestStep),
      "best_step": JSONValue(bestStep),
    ]
  }

  package init?(json: JSONValue) {
    guard let status = json["status"]?.string, let step = json["step"]?.integer, let newest = json["newest_step"]?.integer else {
      return nil
    }
    self.init(isFinished: status == "finished", step: step, newestStep: newest, bestStep: json["best_step"]?.integer)
  }
}
