import ArgumentParser
import Datasets
import Foundation
import Training

/// `fount worker`: one attempt at one job.
struct Worker: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Runs one attempt at the job of a folder.")

  @Argument(help: "The job's folder, with its job.json.") var folder: String
  @Option(help: "The number of the attempt, written into every event.") var attempt: Int
  @Option(help: "The most memory that it may map.") var memoryBytes: Int?
  @Option(help: "The most processor time that its threads may use together.") var processorSeconds: Int?

  func run() throws {
    let status = WorkerCommand.run(
      folder: folder, attempt: attempt, memoryBytesMax: memoryBytes, processorSecondsMax: processorSeconds)
    throw ExitCode(status)
  }
}

/// `fount sampler`: draws, scores and makes pictures over the socket that is its descriptor 3.
struct Sampler: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Answers the server's requests for samples on descriptor 3.")

  @Option(help: "The most memory that it may map.") var memoryBytes: Int?
  @Option(help: "How many bytes of models it keeps loaded.") var cacheBytes = 1 << 30

  func run() throws {
    Lifeline.exitAtEnd(of: STDIN_FILENO)
    throw ExitCode(SamplerCommand.run(fileDescriptor: 3, memoryBytesMax: memoryBytes, cacheBytesMax: cacheBytes))
  }
}

/// `fount decode`: decodes one upload under limits.
struct Decode: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Decodes an upload into a folder.")

  @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

  func run() throws {
    Lifeline.exitAtEnd(of: STDIN_FILENO)
    throw ExitCode(DecodeCommand.run(arguments: arguments))
  }
}
