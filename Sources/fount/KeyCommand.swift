import ArgumentParser
import Files
import Foundation
import Service

/// `fount key`: who may use a server. It works on the record, whether a server runs or not; one that runs learns of it within a second.
struct KeyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key", abstract: "Makes, lists and revokes keys of access.",
    discussion: "Once there is a key, the server asks everyone for one.", subcommands: [Create.self, List.self, Revoke.self])

  /// Which server's keys: its folders, found as the server itself finds them.
  struct Folders: ParsableArguments {
    @Option(help: "The server's configuration file.") var config: String?
    @Option(help: "The server's --data.") var data: String?
    @Option(help: "The server's --database.") var database: String?

    func ledger() throws -> KeyLedger {
      var flags: [String] = []
      for (name, value) in [("--config", config), ("--data", data), ("--database", database)] {
        if let value { flags.append("\(name)=\(value)") }
      }
      return try KeyLedger(try ServeCommand.load(flags, help: "").configuration)
    }
  }

  struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Makes a key and prints it, this once.",
      discussion: "read: looking, sampling, scoring. train: that, and uploads, jobs, imports. admin: that, and deleting.")

    @Option(help: "What it opens: read, train or admin.") var scope: AccessScope
    @Option(help: "Whose it is, or what for.") var name: String?
    @OptionGroup var folders: Folders

    func run() throws {
      let (key, id) = try folders.ledger().create(scope: scope, name: name)
      print(key)
      StandardError.write(line: "\(id), scope \(scope.rawValue); the key is not shown again")
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the keys, without what only their holders know.")
    @OptionGroup var folders: Folders

    func run() throws {
      for key in try folders.ledger().list() {
        let end = key.revokedAt.map { "revoked \($0.formatted(.iso8601))" } ?? "in force"
        print("\(key.id)\t\(key.scope)\t\(key.createdAt.formatted(.iso8601))\t\(end)\t\(key.name ?? "")")
      }
    }
  }

  struct Revoke: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Ends a key.")
    @Argument(help: "The key's id, key_….") var id: String
    @OptionGroup var folders: Folders

    func run() throws {
      guard try folders.ledger().revoke(id) else { throw ValidationError("there is no key \(id)") }
      print("\(id) is revoked")
    }
  }
}

extension AccessScope: ExpressibleByArgument {}
