import ArgumentParser
import Files
import Foundation
import Service

/// `fount check`: verifies every checksum and reference of a data folder that no server has.
///
/// Status 0: all is in order, or has been mended. 1: something is wrong. 75: a server has the folder, or it can't be looked at.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Verifies everything that a server has kept, and mends it with --mend.",
    discussion: "It needs the server's own flags, to know its folders.\n" + ConfigurationKey.flagsHelp)

  @Argument(parsing: .captureForPassthrough, help: "--mend, and the flags of fount serve.") var flags: [String] = []

  func run() throws {
    let mends = flags.contains("--mend")
    let configuration = try ServeCommand.load(flags.filter { $0 != "--mend" }, help: Self.helpMessage()).configuration
    let check: DataCheck
    do {
      check = try DataCheck(configuration, mends: mends)
      try check.run()
    } catch let refusal as StartRefused {
      StandardError.write(line: "fount check: \(refusal)")
      throw ExitCode(75)  // sysexits.h, EX_TEMPFAIL
    } catch {
      StandardError.write(line: "fount check: can't go on: \(error)")
      throw ExitCode(1)
    }
    for finding in check.findings { print(finding) }
    let wrong = check.findings.filter { !$0.isMended }.count
    print(check.findings.isEmpty ? "all is in order" : "\(check.findings.count) found, \(check.findings.count - wrong) mended")
    if !check.isSound { throw ExitCode(1) }
  }
}
