import ArgumentParser
import Foundation
import HTTP
import Service

/// Which server a command asks, and how it tells the answer.
struct ServerOptions: ParsableArguments {
  @Option(help: "The server's address (default: FOUNT_SERVER, or \(Self.presetAddress)). A key is taken from FOUNT_KEY.") var server:
    String?
  @Option(help: ArgumentHelp("Trust the certificates of this file (PEM) in place of the system's.", valueName: "file")) var ca: String?
  @Flag(help: "Ask no server: work on a data folder that none has, for the time of this command.") var local = false
  @Option(help: ArgumentHelp("With --local: the data folder (default: fount-data).", valueName: "folder")) var data: String?
  @Flag(help: "Print what the server answers, as JSON.") var json = false

  private static let presetAddress = "http://127.0.0.1:8080"

  func validate() throws {
    if local, server != nil { throw ValidationError("--server and --local are two ways: give one of them") }
    if !local, data != nil { throw ValidationError("--data is for --local; a server has its own data folder") }
  }

  /// Runs a command against the server, and ends the program with its status where it fails.
  func run(_ command: @escaping (FountClient) throws -> Void) throws {
    if local {
      try LocalServer(data: data).run { address in Self.status(of: { try command(client(of: address)) }, isForPrograms: json) }
    }
    let environment = ProcessInfo.processInfo.environment
    let text = server ?? environment[ServiceConfiguration.serverEnvironmentName] ?? Self.presetAddress
    guard let address = ServerAddress(text) else {
      throw ValidationError("--server must be as in \(Self.presetAddress) or https://example.org; was \(text)")
    }
    let status = Self.status(of: { try command(client(of: address)) }, isForPrograms: json)
    if status != .success { throw status }
  }

  private func client(of address: ServerAddress) -> FountClient {
    let key = ProcessInfo.processInfo.environment[ServiceConfiguration.keyEnvironmentName]
    return FountClient(http: HTTPClient(address, authorities: ca), key: key.flatMap { $0.isEmpty ? nil : $0 })
  }

  private static func status(of command: () throws -> Void, isForPrograms: Bool) -> ExitCode {
    do {
      try command()
      return .success
    } catch let failure as ClientFailure {
      if isForPrograms, let document = failure.document {
        FileHandle.standardError.write(Data(document))
      } else {
        Console.tell("fount: \(failure.message)")
      }
      return failure.code
    } catch let code as ExitCode {
      return code
    } catch {
      Console.tell("fount: \(error)")
      return ClientExit.unavailable
    }
  }
}

/// A command that asks a server.
protocol ClientCommand: ParsableCommand {
  var server: ServerOptions { get }
  func run(with client: FountClient) throws
}

extension ClientCommand {
  func run() throws {
    let command = self
    try server.run { try command.run(with: $0) }
  }
}
