import HTTP
import HTTPTypes
import JSON
import Training

/// The way from a sampler's frame to an answer.
extension FountService {
  typealias Reply = @Sendable (Result<Response, any Error>) -> Void

  /// Runs `work` on a work thread; it, or what it starts, answers by the `Reply`, once.
  /// - Parameter threads: nil for those of short work.
  func answerLater(
    _ request: Request, _ responder: Responder, on threads: WorkThreads? = nil, _ work: @escaping @Sendable (@escaping Reply) throws -> Void
  ) {
    let reply: Reply = { result in
      switch result {
      case .success(let response): responder.respond(response.coded(for: request))
      case .failure(is ClientGone): responder.respond(Response(status: .serviceUnavailable))
      case .failure(let error): responder.respond(self.response(to: error, request))
      }
    }
    onThread(of: threads, reply) { try work(reply) }
  }

  /// Replies with what `work` returns or throws, on a work thread.
  func work(_ reply: @escaping Reply, on threads: WorkThreads? = nil, _ work: @escaping @Sendable () throws -> Response) {
    onThread(of: threads, reply) { reply(.success(try work())) }
  }

  private func onThread(of threads: WorkThreads?, _ reply: @escaping Reply, _ work: @escaping @Sendable () throws -> Void) {
    let isTaken = (threads ?? self.threads).submit {
      do {
        try work()
      } catch {
        reply(.failure(error))
      }
    }
    if !isTaken { reply(.failure(Problem(.serviceUnavailable, "too many requests wait", headers: [.retryAfter: "1"]))) }
  }

  /// Asks a sampler, and gives up when the client does.
  func ask(
    _ question: SamplerRequest, _ responder: Responder, _ reply: @escaping Reply,
    answer: @escaping @Sendable (SamplerFrame) throws -> Response
  ) {
    let ticket = samplers.submit(question) { result in
      reply(Result { try answer(try Self.checked(try result.get())) })
    }
    responder.onDisconnect { ticket.end(.clientGone) }
  }

  static func checked(_ frame: SamplerFrame) throws -> SamplerFrame {
    if let failure = SamplerFailure(answer: frame) { throw failure }
    return frame
  }

  struct PictureParameters {
    let count: Int
    let columns: Int?
    let scale: Int
  }

  /// `count`, `columns` and `scale` of a grid.
  func pictureParameters(_ query: QueryReader) -> PictureParameters {
    let count = query.integer("count", in: 1...configuration.samplesMax) ?? 16
    return PictureParameters(
      count: count, columns: query.integer("columns", in: 1...count), scale: query.integer("scale", in: 1...SamplerLimits.scaleMax) ?? 1)
  }
}

extension Response {
  /// The bytes that a sampler made, under the type that it names.
  init(sampled frame: SamplerFrame, headers: HTTPFields = [:]) {
    var headers = headers
    headers[.contentType] = frame.header["content_type"]?.string ?? "application/octet-stream"
    self.init(status: .ok, headers: headers, body: .bytes(frame.payload))
  }
}
