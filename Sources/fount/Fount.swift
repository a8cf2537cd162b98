import ArgumentParser

/// One program for all: the server, and the children that it starts from itself.
@main struct Fount: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fount",
    abstract: "Trains generative models on your data, over HTTP.",
    version: ServeCommand.version,
    subcommands: [ServeCommand.self, KeyCommand.self, CheckCommand.self, ConfigCommand.self, BenchCommand.self],
    groupedSubcommands: [
      CommandGroup(
        name: "Asking a server",
        subcommands: [
          FamiliesCommand.self, UploadCommand.self, DatasetsCommand.self, TrainCommand.self, EvaluateCommand.self, JobsCommand.self,
          JobCommand.self, CancelCommand.self, PauseCommand.self, ResumeCommand.self, ModelsCommand.self, SampleCommand.self,
        ]),
      CommandGroup(name: "Children of the server", subcommands: [Worker.self, Sampler.self, Decode.self]),
    ])
}
