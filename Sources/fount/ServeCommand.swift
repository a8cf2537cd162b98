import ArgumentParser
import Dispatch
import Files
import Foundation
import HTTP
import Logging
import Service

/// `fount serve`: the HTTP service, until SIGTERM or SIGINT.
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serves the HTTP interface.", discussion: ConfigurationKey.flagsHelp)
  static let version = FountService.version

  @Argument(parsing: .captureForPassthrough, help: "Flags over FOUNT_* over the file of --config over defaults.") var flags: [String] = []

  func run() throws {
    let configuration = try Self.load(flags, help: Self.helpMessage()).configuration
    // A client that hangs up mid-answer is an error code for one connection, never a signal.
    signal(SIGPIPE, SIG_IGN)
    do {
      let running = try RunningServer(configuration)
      running.leaveOnSignals()
      running.reloadOnSignal()
      print("Fount listens on \(configuration.address(port: running.port))")
      fflush(nil)
      running.tellReady()
    } catch {
      StandardError.write(line: "fount serve: \(error)")
      throw ExitCode(1)
    }
    dispatchMain()
  }

  /// The configuration that flags, environment and file make; its faults end the program with status 64.
  static func load(_ flags: [String], help: String) throws -> ServiceConfiguration.Loaded {
    if flags.contains("--help") || flags.contains("-h") {
      print(help)
      throw ExitCode.success
    }
    do throws(ConfigurationFaults) {
      let parsed = try ConfigurationFlags(parsing: flags)
      return try ServiceConfiguration.load(file: parsed.file, environment: ProcessInfo.processInfo.environment, flags: parsed.values)
    } catch {
      StandardError.write(line: "fount: the configuration is wrong:\n\(error)")
      throw ExitCode.validationFailure
    }
  }
}
