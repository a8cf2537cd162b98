import Files
import Testing
import Training

@Suite struct `A pinned checkpoint` {
  @Test func `outlives what training does with its own, and no longer than its pin`() throws {
    let scratch = try Scratch()
    let dataset = try scratch.dataset("a", shape: smallPicture, bytes: stripes(80))
    let attempts = try Attempts(scratch, "a")
    try attempts.writeTraining(training: ["epochs": 6], dataset: dataset)
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest(afterChecks: 3)) == 0)
    let model = attempts.model
    let step = try #require(try model.state()).newestStep
    let bytes = try Disk.read(model.checkpointPath(step: step), bytesMax: 1 << 24)
    #expect(try model.pin(step: step))
    #expect(try model.pin(step: step))
    #expect(try !model.pin(step: step + 1))
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 2, stop: StopRequest()) == 0)
    #expect(try !model.steps().contains(step))
    #expect(try model.pinnedSteps() == [step] && model.keptSteps().contains(step))
    let kept = try #require(model.checkpoint(step: step))
    #expect(kept.isFinal && kept.step == step)
    #expect(try Disk.read(kept.path, bytesMax: 1 << 24) == bytes)
    // Training again in this folder leaves it, and a pin of what is gone but pinned stays one.
    #expect(try model.pin(step: step))
    #expect(try model.unpin(step: step))
    #expect(model.checkpoint(step: step) == nil)
    #expect(try !model.unpin(step: step))
  }

  @Test func `that is still training's own stays when it is unpinned`() throws {
    let scratch = try Scratch()
    let attempts = try Attempts(scratch, "a")
    try attempts.writeTraining(training: ["epochs": 1], dataset: try scratch.dataset("a", shape: smallPicture, bytes: stripes(40)))
    #expect(WorkerCommand.run(folder: attempts.folder, attempt: 1, stop: StopRequest()) == 0)
    let step = try #require(try attempts.model.state()).step
    #expect(try attempts.model.pin(step: step))
    #expect(try attempts.model.unpin(step: step))
    #expect(try attempts.model.current() != nil && attempts.model.checkpoint(step: step) != nil)
  }
}
