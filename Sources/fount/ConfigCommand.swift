import ArgumentParser
import Foundation
import Service

/// `fount config`: what a server would run with, and why; and whether it would.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Tells the configuration.", subcommands: [Show.self, Check.self], defaultSubcommand: Show.self)

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints every key with its value and where that came from.", discussion: ConfigurationKey.flagsHelp)

    @Argument(parsing: .captureForPassthrough, help: "The flags of fount serve.") var flags: [String] = []

    func run() throws { print(try ServeCommand.load(flags, help: Self.helpMessage()).rendered(), terminator: "") }
  }

  /// Status 0: a server would start with it. 1: something is wrong, a line each with file, line and key.
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Says every fault of a configuration, a line each; status 1 where there is one.",
      discussion: "fount config check [FILE] [FLAGS], the environment's FOUNT_* as a server would read them.\n" + ConfigurationKey.flagsHelp
    )

    @Argument(parsing: .captureForPassthrough, help: "A configuration file, and the flags of fount serve.") var arguments: [String] = []

    func run() throws {
      if arguments.contains("--help") || arguments.contains("-h") { return print(Self.helpMessage()) }
      let faults = faults
      if faults.isEmpty { return print("all is in order") }
      for fault in faults { print(fault) }
      throw ExitCode(1)
    }

    private var faults: [ConfigurationFault] {
      let isFile = arguments.first.map { !$0.hasPrefix("--") } ?? false
      let flags = isFile ? ["\(ConfigurationFlags.fileFlag)=\(arguments[0])"] + arguments.dropFirst() : arguments
      do throws(ConfigurationFaults) {
        let parsed = try ConfigurationFlags(parsing: flags)
        let environment = ProcessInfo.processInfo.environment
        return try ServiceConfiguration.load(file: parsed.file, environment: environment, flags: parsed.values).faultsOfFiles
      } catch {
        return error.all
      }
    }
  }
}
