import JSON

/// The document as a page to read: one file of HTML, without scripts, made of the same operations as `openapi.json`.
struct DocumentationPage {
  let document: OpenAPIDocument

  var html: String {
    let tags = DescribedOperation.Tag.allCases
    let operations = tags.map { tag in section(tag, document.operations.filter { $0.tag == tag }) }
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>Fount: the HTTP interface</title>
      <style>\(DocumentationStyle.css)</style>
      </head>
      <body>
      <header>
      <h1>Fount</h1>
      \(OpenAPIDocument.introduction.split(separator: "\n\n").map { "<p>\(Self.prose(String($0)))</p>" }.joined(separator: "\n"))
      <p>The same for programs: <a href="/openapi.json">openapi.json</a>, OpenAPI 3.1.</p>
      </header>
      <nav aria-label="Contents"><ul>
      \(tags.map { "<li><a href=\"#\($0.rawValue)\">\($0.rawValue)</a></li>" }.joined(separator: "\n"))
      <li><a href="#schemas">schemas</a></li>
      </ul></nav>
      <main>
      \(operations.joined(separator: "\n"))
      \(schemas)
      </main>
      </body>
      </html>

      """
  }

  private func section(_ tag: DescribedOperation.Tag, _ operations: [DescribedOperation]) -> String {
    """
    <section aria-labelledby="\(tag.rawValue)">
    <h2 id="\(tag.rawValue)">\(tag.rawValue)</h2>
    <p>\(Self.prose(tag.summary))</p>
    \(operations.map(article).joined(separator: "\n"))
    </section>
    """
  }

  private func article(_ operation: DescribedOperation) -> String {
    let scope = operation.scope.map { "needs a key for <b>\($0.rawValue)</b>, where there are keys" } ?? "needs no key"
    var parts = [
      "<article aria-labelledby=\"\(operation.id)\">",
      "<h3 id=\"\(operation.id)\"><span class=\"method \(operation.method.rawValue.lowercased())\">\(operation.method.rawValue)</span> "
        + "<code>\(Self.escaped(operation.path))</code></h3>",
      "<p>\(Self.prose(operation.summary)). \(Self.prose(operation.notes))</p>",
    ]
    if !operation.parameters.isEmpty { parts.append(parameters(operation.parameters)) }
    if let body = operation.body { parts.append(self.body(body)) }
    parts.append(answers(operation))
    parts.append("<p class=\"scope\">\(scope)</p>\n</article>")
    return parts.joined(separator: "\n")
  }

  private func parameters(_ parameters: [DescribedParameter]) -> String {
    let rows = parameters.map { parameter in
      [
        "<code>\(Self.escaped(parameter.name))</code>\(parameter.place == .header ? " <small>header</small>" : "")",
        Self.type(parameter.schema), Self.prose(parameter.description),
      ]
    }
    return Self.table(["parameter", "what it may be (what it is otherwise)", "meaning"], rows)
  }

  private func body(_ body: DescribedBody) -> String {
    let types = body.content.map { "<code>\($0.type)</code>\($0.schema.map { ": \(Self.type($0))" } ?? "")" }.joined(separator: "<br>")
    let examples = body.examples.map { "<pre>\(Self.escaped($0.value.serialized()))</pre>" }.joined()
    return "<p><b>Body.</b> \(Self.prose(body.description))<br>\(types)</p>\(examples)"
  }

  private func answers(_ operation: DescribedOperation) -> String {
    let answers = operation.answers.map { answer in
      let forms = answer.content.map { "<code>\($0.type)</code>\($0.schema.map { ": \(Self.type($0))" } ?? "")" }.joined(separator: "<br>")
      return [String(answer.status), Self.prose(answer.description), forms]
    }
    let refusals = operation.refusals.sorted { $0.key < $1.key }.map { [String($0.key), Self.prose($0.value), ""] }
    return Self.table(["answer", "meaning", "form"], answers + refusals)
  }

  private var schemas: String {
    let all = document.json["components"]?["schemas"]?.object ?? [:]
    let parts = all.map { name, schema in
      "<article aria-labelledby=\"\(name)\">\n<h3 id=\"\(name)\"><code>\(name)</code></h3>\n\(Self.schema(schema))\n</article>"
    }
    return """
      <section aria-labelledby="schemas">
      <h2 id="schemas">schemas</h2>
      <p>What stands in parentheses is what counts where nobody says. A field in <i>italics</i> may be absent.</p>
      \(parts.joined(separator: "\n"))
      </section>
      """
  }

  private static func schema(_ schema: JSONValue) -> String {
    let choices = schema["oneOf"]?.array ?? [schema]
    return choices.map { choice in
      guard let members = choice["properties"]?.object else { return "<p>\(type(choice))</p>" }
      let required = choice["required"]?.array ?? []
      let rows = members.map { name, member in
        let field = "<code>\(escaped(name))</code>"
        return [required.contains(.string(name)) ? field : "<i>\(field)</i>", type(member), prose(member["description"]?.string ?? "")]
      }
      return table(["field", "what it is", "meaning"], rows)
    }.joined(separator: "\n<p>or</p>\n")
  }

  // MARK: HTML

  /// The phrase of a schema; a named one is a link to it.
  private static func type(_ schema: JSONValue) -> String {
    let phrase = SchemaPhrase.of(schema)
    return schema["$ref"] == nil ? escaped(phrase) : "<a href=\"#\(phrase)\">\(phrase)</a>"
  }

  private static func table(_ heads: [String], _ rows: [[String]]) -> String {
    let head = heads.map { "<th scope=\"col\">\($0)</th>" }.joined()
    let lines = rows.map { row in "<tr>\(row.map { "<td>\($0)</td>" }.joined())</tr>" }
    return "<div class=\"wide\"><table><thead><tr>\(head)</tr></thead><tbody>\n\(lines.joined(separator: "\n"))\n</tbody></table></div>"
  }

  /// Escaped, with what stands between backticks as code.
  private static func prose(_ text: String) -> String {
    let parts = escaped(text).split(separator: "`", omittingEmptySubsequences: false)
    return parts.enumerated().map { index, part in index.isMultiple(of: 2) ? String(part) : "<code>\(part)</code>" }.joined()
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
  }
}
