import HTTP
import HTTPTypes

/// Which of the forms that an endpoint can give a client wants (RFC 9110 §12.5.1).
enum ContentNegotiation {
  private struct Range {
    let type: String
    let quality: Double
  }

  /// The offered media type with the highest quality; among equals the one that is offered first. Nil is a 406.
  /// - Parameter accept: the field's value; absent, it accepts all.
  static func choose(_ offers: [String], accept: String?) -> String? {
    guard let accept, !accept.allSatisfy({ $0 == " " || $0 == "\t" }) else { return offers.first }
    let ranges = accept.split(separator: ",").map(Self.range)
    let rated = offers.map { offer in (offer: offer, quality: quality(of: offer, in: ranges)) }
    guard let best = rated.map(\.quality).max(), best > 0 else { return nil }
    return rated.first { $0.quality == best }?.offer
  }

  private static func range(_ text: Substring) -> Range {
    let parts = text.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
    let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 }
    return Range(type: parts.first ?? "", quality: min(max(weight ?? 1, 0), 1))
  }

  /// The most specific range that matches says the quality.
  private static func quality(of offer: String, in ranges: [Range]) -> Double {
    let wide = offer.prefix { $0 != "/" } + "/*"
    for type in [offer, String(wide), "*/*"] {
      if let range = ranges.first(where: { $0.type == type }) { return range.quality }
    }
    return 0
  }
}
