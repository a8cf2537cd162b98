import ArgumentParser

@main struct Fount: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Trains generative models on your data, over HTTP.")
}
