import HTTP

extension ServiceConfiguration.Loaded {
  /// What is wrong with the files that the configuration names: certificates and keys that can't be read, or don't belong together.
  package var faultsOfFiles: [ConfigurationFault] {
    configuration.server.tls.compactMap { files in
      files.refusal.map { ConfigurationFault(subject: "tls_certificates", source: source(ofKey: "tls_certificates"), detail: "\($0)") }
    }
  }

  private func source(ofKey name: String) -> ConfigurationSource { sources[name] ?? .preset }
}
