import ArgumentParser
import Dispatch
import Foundation
import HTTP
import Service

/// `--local`: a server in this very process, on a free port of the loopback address, as long as the command lasts.
struct LocalServer {
  private let running: RunningServer
  private let address: ServerAddress

  init(data: String?) throws {
    var flags = ["--host=127.0.0.1", "--port=0", "--log-level=error", "--access-log=off", "--tls-certificates=none", "--tls-keys=none"]
    if let data { flags.append("--data=\(data)") }
    let configuration = try ServeCommand.load(flags, help: "").configuration
    do {
      running = try RunningServer(configuration)
    } catch {
      Console.tell("fount: \(error)")
      throw error is StartRefused ? ClientExit.later : ClientExit.unavailable
    }
    guard let address = ServerAddress(configuration.address(port: running.port)) else {
      preconditionFailure("the server's own address is none: \(configuration.address(port: running.port))")
    }
    self.address = address
  }

  /// Runs the command, lets the server leave, and ends the program with the command's status. Jobs that still run write a checkpoint, and
  /// go on when a server has the folder again.
  func run(_ command: @escaping (ServerAddress) -> ExitCode) -> Never {
    let (running, address) = (running, address)
    running.leaveOnSignals(status: { 128 + $0 })
    // The main thread is the signals'.
    let work = CommandOnThread(command: command)
    Thread.detachNewThread { running.end(status: work.command(address).rawValue) }
    dispatchMain()
  }
}

/// `@unchecked Sendable`: the one thread that it is made for runs it.
private struct CommandOnThread: @unchecked Sendable {
  let command: (ServerAddress) -> ExitCode
}
