import ArgumentParser
import Foundation
import Service

/// `fount config`: what a server would run with, and why.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Tells the configuration.", subcommands: [Show.self], defaultSubcommand: Show.self)

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints every key with its value and where that came from.", discussion: ConfigurationKey.flagsHelp)

    @Argument(parsing: .captureForPassthrough, help: "The flags of fount serve.") var flags: [String] = []

    func run() throws { print(try ServeCommand.load(flags, help: Self.helpMessage()).rendered(), terminator: "") }
  }
}
