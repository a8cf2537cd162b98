import HTTP
import JSON
import Models

/// The families: what a user may train, and what can honestly be told of it.
extension FountService {
  func listFamilies(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    return .json(["data": .array(ModelFamily.all.map(\.json)), "has_more": false, "next": nil])
  }

  func describeFamily(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    let name = request.parameters["name"] ?? ""
    guard let family = ModelFamily.named(name) else { throw Problem.notFound("family", name) }
    return .json(family.json)
  }
}

extension ModelFamily {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "title": .string(title), "summary": .string(summary), "paper": .string(paper),
      "taxonomy": .array(taxonomy.map { .string($0) }), "abilities": .array(abilities.map { .string($0) }),
      "configuration": schema.jsonSchema(),
    ]
  }
}
