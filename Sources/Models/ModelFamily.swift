import JSON
import Tensors

/// A kind of model: what a user is told of it, and how one is made. Adding a family is one file, and one line here.
package struct ModelFamily: Sendable {
  package static let all: [ModelFamily] = [.nade, .made, .pixelRNN, .pixelCNN, .vae, .rbm, .dbm, .gan, .gsn]

  package static func named(_ name: String) -> ModelFamily? { all.first { $0.name == name } }

  package let name: String
  package let title: String
  package let summary: String
  /// Authors, title, venue, year.
  package let paper: String
  /// Its place in the textbook's tree of generative models.
  package let taxonomy: [String]
  /// Of "score", "complete", "encode", "reconstruct", "interpolate".
  package let abilities: [String]
  package let likelihood: ToldLikelihood
  /// How a sample comes about, in a sentence.
  package let sampling: String
  package let schema: ConfigurationSchema

  /// Why the family can't learn such examples with that configuration, or nil where it can. The pointer is the configuration's field at
  /// fault, empty where the examples are.
  package let refusal: @Sendable (Configuration, ModelInput) -> Fault?

  /// A new model; its weights depend on the seed.
  package let make: @Sendable (Configuration, ModelInput, OptimizerSettings, _ seed: UInt64, ThreadTeam) -> any GenerativeModel

  /// How it tells likelihoods when it is so configured, the best first; none where it has no density.
  package var estimators: @Sendable (Configuration) -> [LikelihoodEstimator] = { _ in [.exact] }

  /// Whether its hidden units look for something that can be shown as an example is.
  package var hasFilters = false

  package var presets: [ConfigurationSchema.Preset] { schema.presets }
}

/// What a family tells of ln p(x), for those who choose between families: nothing may be promised here that scoring does not keep.
package struct ToldLikelihood: Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    /// ln p(x) itself.
    case exact
    /// Never more than ln p(x).
    case bound
    /// About ln p(x), to either side.
    case estimate
    /// No density at all.
    case none
  }

  package let kind: Kind
  /// One sentence.
  package let detail: String

  package init(_ kind: Kind, _ detail: String) { (self.kind, self.detail) = (kind, detail) }
}
