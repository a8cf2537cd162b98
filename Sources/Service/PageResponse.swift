import HTTP
import HTTPTypes
import JSON
import Jobs

extension QueryReader {
  /// How many a page holds; chosen, as users of such lists expect.
  static let pageMax = 100

  /// `limit` and `after` of a list.
  func page() -> (limit: Int, after: String?) { (integer("limit", in: 1...Self.pageMax) ?? 20, string("after")) }
}

extension Response {
  /// A page of a list, newest first: `next` is the value for `after`, and `Link` the address (RFC 8288).
  static func page<Item>(_ page: Page<Item>, of request: Request, _ view: (Item) throws -> JSONValue) rethrows -> Response {
    var headers: HTTPFields = [:]
    if let next = page.next {
      headers[.link] = "<\(request.address("after", next))>; rel=\"next\""
    }
    return .json(
      ["data": .array(try page.items.map(view)), "has_more": .bool(page.hasMore), "next": JSONValue(page.next)], headers: headers)
  }

}

extension Request {
  /// The address of the same thing with the query parameter `name` saying `value`.
  func address(_ name: String, _ value: String) -> String {
    let kept = query.filter { $0.name != name }.map { "\($0.name)=\(PercentEncoding.encoded($0.value))&" }.joined()
    return "\(path)?\(kept)\(name)=\(PercentEncoding.encoded(value))"
  }
}
