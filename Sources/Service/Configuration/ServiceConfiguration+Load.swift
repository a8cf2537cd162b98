import Foundation

extension ServiceConfiguration {
  /// A configuration together with where each of its values came from.
  package struct Loaded: Sendable {
    package let configuration: ServiceConfiguration
    /// By key; a key that nobody set is absent.
    package let sources: [String: ConfigurationSource]

    package func source(of key: ConfigurationKey) -> ConfigurationSource { sources[key.name] ?? .preset }
  }

  /// The environment's name of the file, for those who give no `file`.
  package static let fileEnvironmentName = ConfigurationKey.environmentPrefix + "CONFIG"
  /// Where the commands that ask a server find it, and their key.
  package static let serverEnvironmentName = ConfigurationKey.environmentPrefix + "SERVER"
  package static let keyEnvironmentName = ConfigurationKey.environmentPrefix + "KEY"
  /// Names that are no key's.
  static let otherEnvironmentNames = [fileEnvironmentName, serverEnvironmentName, keyEnvironmentName]

  /// Flags over the environment's `FOUNT_*` over the file over the defaults. What a higher layer overrules is checked all the same.
  /// - Parameters:
  ///   - file: nil takes the one that `FOUNT_CONFIG` names, or none.
  ///   - flags: values by the flag's name, `--port` or `port`.
  package static func load(
    file: String?, environment: [String: String], flags: [String: String],
    machine: Machine = .this, currentFolder: String = FileManager.default.currentDirectoryPath
  ) throws(ConfigurationFaults) -> Loaded {
    var layers = ConfigurationLayers()
    if let path = file ?? environment[fileEnvironmentName] { layers.add(ConfigurationFile(path: path), path: path) }
    layers.add(environment: environment)
    layers.add(flags: flags)
    return try layers.resolved(on: machine, currentFolder: currentFolder)
  }
}

/// Collects what each layer says; a later layer wins.
private struct ConfigurationLayers {
  private var given: [String: (text: String, source: ConfigurationSource)] = [:]
  private var faults: [ConfigurationFault] = []

  mutating func add(_ file: ConfigurationFile, path: String) {
    faults += file.faults
    for entry in file.entries {
      add(entry.name, entry.text, key: entry.name, from: .file(path: path, line: entry.line), what: "key", known: \.name)
    }
  }

  mutating func add(environment: [String: String]) {
    for (name, text) in environment.sorted(by: { $0.key < $1.key })
    where name.hasPrefix(ConfigurationKey.environmentPrefix) && !ServiceConfiguration.otherEnvironmentNames.contains(name) {
      let key = name.dropFirst(ConfigurationKey.environmentPrefix.count)
      // FOUNT_port would go unnoticed by everything else that reads the environment: only upper case is the key's name.
      add(
        name, text, key: key == key.uppercased() ? key.lowercased() : "", from: .environment(name), what: "variable",
        known: \.environmentName, alsoKnown: ServiceConfiguration.otherEnvironmentNames)
    }
  }

  mutating func add(flags: [String: String]) {
    for (name, text) in flags.sorted(by: { $0.key < $1.key }) {
      let key = name.hasPrefix("--") ? String(name.dropFirst(2)) : name
      let flag = "--" + key.replacing("_", with: "-")
      add(flag, text, key: key.replacing("-", with: "_"), from: .flag(flag), what: "flag", known: \.flag)
    }
  }

  private mutating func add(
    _ subject: String, _ text: String, key name: String, from source: ConfigurationSource, what: String,
    known: (ConfigurationKey) -> String, alsoKnown: [String] = []
  ) {
    guard let key = ConfigurationKey.named(name) else {
      faults.append(.unknown(subject, from: source, what: what, known: ConfigurationKey.all.map(known) + alsoKnown))
      return
    }
    guard key.accepts(text) else {
      faults.append(.refused(key, from: source, was: text))
      return
    }
    given[name] = (text, source)
  }

  /// In the table's order, so that an automatic default sees the keys above it.
  func resolved(on machine: Machine, currentFolder: String) throws(ConfigurationFaults) -> ServiceConfiguration.Loaded {
    var configuration = ServiceConfiguration(machine: machine)
    for key in ConfigurationKey.all {
      let text = given[key.name]?.text
      if text == nil || key.isAutomatic(text) {
        key.setDefault(&configuration, machine)
      } else if let text {
        precondition(key.assign(text, &configuration), "\(key.name) was accepted before and isn't now: \(text)")
      }
    }
    let faults = faults + disagreements(configuration)
    guard faults.isEmpty else { throw ConfigurationFaults(all: faults) }
    configuration.data = absolute(configuration.data, in: currentFolder)
    configuration.database = absolute(configuration.database, in: currentFolder)
    configuration.tlsCertificates = configuration.tlsCertificates.map { absolute($0, in: currentFolder) }
    configuration.tlsKeys = configuration.tlsKeys.map { absolute($0, in: currentFolder) }
    return ServiceConfiguration.Loaded(configuration: configuration, sources: given.mapValues(\.source))
  }

  /// Values that are fine each by itself and not together.
  private func disagreements(_ configuration: ServiceConfiguration) -> [ConfigurationFault] {
    var found: [ConfigurationFault] = []
    if configuration.jobThreads > configuration.jobThreadsMax, !isRefused("job_threads", "job_threads_max") {
      found.append(
        ConfigurationFault(
          subject: "job_threads", source: given["job_threads"]?.source ?? .preset,
          detail: "must be at most job_threads_max, which is \(configuration.jobThreadsMax)"
            + " (\(given["job_threads_max"]?.source ?? .preset)); was \(configuration.jobThreads)"))
    }
    if configuration.tlsCertificates.count != configuration.tlsKeys.count, !isRefused("tls_certificates", "tls_keys") {
      found.append(
        ConfigurationFault(
          subject: "tls_keys", source: given["tls_keys"]?.source ?? .preset,
          detail: "must be as many as tls_certificates, which are \(configuration.tlsCertificates.count)"
            + " (\(given["tls_certificates"]?.source ?? .preset)); were \(configuration.tlsKeys.count)"))
    }
    return found
  }

  private func isRefused(_ names: String...) -> Bool { faults.contains { names.contains($0.subject) } }

  private func absolute(_ path: String, in folder: String) -> String {
    URL(fileURLWithPath: path, relativeTo: URL(fileURLWithPath: folder, isDirectory: true)).standardizedFileURL.path
  }
}

extension ConfigurationKey {
  fileprivate func isAutomatic(_ text: String?) -> Bool { automatic != nil && text == Self.automaticWord }

  fileprivate func accepts(_ text: String) -> Bool {
    var scratch = ServiceConfiguration()
    return isAutomatic(text) || assign(text, &scratch)
  }
}
