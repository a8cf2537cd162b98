import JSON

/// Where a training run stands, apart from the tensors: what a checkpoint keeps so that going on is as if nothing had stopped.
struct TrainingProgress: Sendable, Equatable {
  /// Steps done.
  var step = 0
  /// Epochs done.
  var epoch = 0
  /// Batches done of the epoch under way.
  var batch = 0
  /// Over the epoch under way: the sum of the examples' losses, and how many there were.
  var lossSum = 0.0
  var lossCount = 0
  /// Of the last whole epoch.
  var trainNats: Double?
  var validationNats: Double?
  /// The best validation so far.
  var best: Best?
  var epochsSinceBest = 0
  /// Seconds spent in training, over all attempts.
  var seconds = 0.0

  struct Best: Sendable, Equatable {
    var step: Int
    var epoch: Int
    var nats: Double
  }

  /// Takes in a whole epoch's validation.
  /// - Returns: whether it is the best so far.
  mutating func validated(_ nats: Double) -> Bool {
    validationNats = nats
    if let best, !(nats < best.nats) {
      epochsSinceBest += 1
      return false
    }
    best = Best(step: step, epoch: epoch, nats: nats)
    epochsSinceBest = 0
    return true
  }
}

extension TrainingProgress {
  var json: JSONValue {
    [
      "step": .integer(step), "epoch": .integer(epoch), "batch": .integer(batch), "loss_sum": .number(lossSum),
      "loss_count": .integer(lossCount), "train_nats": JSONValue(trainNats), "validation_nats": JSONValue(validationNats),
      "best": best.map { ["step": .integer($0.step), "epoch": .integer($0.epoch), "nats": .number($0.nats)] } ?? .null,
      "epochs_since_best": .integer(epochsSinceBest), "seconds": .number(seconds),
    ]
  }

  init?(json: JSONValue) {
    guard let step = json["step"]?.integer, let epoch = json["epoch"]?.integer, let batch = json["batch"]?.integer,
      let lossSum = json["loss_sum"]?.number, let lossCount = json["loss_count"]?.integer,
      let epochsSinceBest = json["epochs_since_best"]?.integer, let seconds = json["seconds"]?.number,
      min(step, epoch, batch, lossCount, epochsSinceBest) >= 0
    else { return nil }
    self.step = step
    self.epoch = epoch
    self.batch = batch
    self.lossSum = lossSum
    self.lossCount = lossCount
    self.epochsSinceBest = epochsSinceBest
    self.seconds = seconds
    trainNats = json["train_nats"]?.number
    validationNats = json["validation_nats"]?.number
    if let best = json["best"], !best.isNull {
      guard let step = best["step"]?.integer, let epoch = best["epoch"]?.integer, let nats = best["nats"]?.number else { return nil }
      self.best = Best(step: step, epoch: epoch, nats: nats)
    }
  }
}
