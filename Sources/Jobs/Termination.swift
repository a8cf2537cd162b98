import CSystem
import Foundation

/// How a process ended, as `waitid` tells it.
package enum Termination: Sendable, Hashable, CustomStringConvertible {
  case exited(code: Int32)
  case signalled(Int32)

  package var isSuccess: Bool { self == .exited(code: 0) }

  package var description: String {
    switch self {
    case .exited(let code): "exit code \(code)"
    case .signalled(let number): "signal \(number) (\(Termination.name(ofSignal: number)))"
    }
  }

  static func name(ofSignal number: Int32) -> String {
    switch number {
    case SIGHUP: "SIGHUP"
    case SIGINT: "SIGINT"
    case SIGQUIT: "SIGQUIT"
    case SIGILL: "SIGILL"
    case SIGTRAP: "SIGTRAP"
    case SIGABRT: "SIGABRT"
    case SIGBUS: "SIGBUS"
    case SIGFPE: "SIGFPE"
    case SIGKILL: "SIGKILL"
    case SIGSEGV: "SIGSEGV"
    case SIGPIPE: "SIGPIPE"
    case SIGTERM: "SIGTERM"
    case SIGXCPU: "SIGXCPU"
    case SIGXFSZ: "SIGXFSZ"
    case SIGSYS: "SIGSYS"
    default: "unnamed"
    }
  }
}
