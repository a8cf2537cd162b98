import HTTP
import HTTPTypes
import JSON

extension Response {
  /// A JSON answer, with a line's end for people who read it in a terminal.
  static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
    var headers = headers
    headers[.contentType] = "application/json"
    return Response(status: status, headers: headers, body: .bytes(value.serializedBytes() + [0x0A]))
  }
}
