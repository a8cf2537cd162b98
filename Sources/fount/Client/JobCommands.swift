import ArgumentParser
import JSON

/// `fount job ID`: one job, as it stands or to its end.
struct JobCommand: ClientCommand {
  static let configuration = CommandConfiguration(
    commandName: "job", abstract: "Tells how a job stands.", discussion: ClientExit.help)

  @Argument(help: "The id of a job.") var id: String
  @Flag(help: "Follow the job to its end.") var watch = false
  @OptionGroup var server: ServerOptions

  func run(with client: FountClient) throws {
    if watch { return try JobWatching(client: client, isForPrograms: server.json).follow(id) }
    let answer = try client.get(["v1", "jobs", id])
    if server.json { return Console.print(answer: answer.body) }
    JobCard(job: try answer.json()).print()
  }
}

/// Asks for a change of a job's status.
protocol JobVerbCommand: ClientCommand {
  static var verb: String { get }
  var id: String { get }
}

extension JobVerbCommand {
  func run(with client: FountClient) throws {
    let answer = try client.post(["v1", "jobs", id, Self.verb], body: .none)
    if server.json { return Console.print(answer: answer.body) }
    Console.print("\(id) \(try answer.json()["status"]?.string ?? "")")
  }
}

struct CancelCommand: JobVerbCommand {
  static let configuration = CommandConfiguration(commandName: "cancel", abstract: "Ends a job.", discussion: ClientExit.help)
  static let verb = "cancel"

  @Argument(help: "The id of a job.") var id: String
  @OptionGroup var server: ServerOptions
}

struct PauseCommand: JobVerbCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Lets a job write a checkpoint and rest.", discussion: ClientExit.help)
  static let verb = "pause"

  @Argument(help: "The id of a job.") var id: String
  @OptionGroup var server: ServerOptions
}

struct ResumeCommand: JobVerbCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Queues a paused job again.", discussion: ClientExit.help)
  static let verb = "resume"

  @Argument(help: "The id of a job.") var id: String
  @OptionGroup var server: ServerOptions
}
