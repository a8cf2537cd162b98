import HTTP
import HTTPTypes

/// Every endpoint, a line each. `at once` ones answer on the connection's shard, `work` ones on a work thread, `later` ones by a child.
extension FountService {
  package var routes: [Route] {
    let json = BodyPolicy.memory(bytesMax: configuration.jsonBytesMax)
    let bodies = folder.incoming + "/bodies"
    let examples = BodyPolicy.file(bytesMax: configuration.bodyBytesMax, folder: bodies, form: UploadedFile.form)
    let incomplete = BodyPolicy.form(FormPolicy("image", "mask"), bytesMax: configuration.bodyBytesMax, folder: bodies)
    let weights = BodyPolicy.file(bytesMax: importBytesMax, folder: bodies, form: UploadedFile.form)
    return [
      atOnce(.get, "/livez", live),
      atOnce(.get, "/readyz", ready),
      atOnce(.get, "/version", version),
      work(.get, "/metrics", tellMetrics),
      work(.get, "/", showPage),
      work(.get, "/page/{file}", showPageFile),
      work(.get, "/openapi.json", describeInterface),
      work(.get, "/docs", showDocumentation),

      work(.get, "/v1/families", listFamilies),
      work(.get, "/v1/families/{name}", describeFamily),

      later(.post, "/v1/datasets", body: examples, uploadDataset),
      work(.get, "/v1/datasets", listDatasets),
      work(.get, "/v1/datasets/{id}", describeDataset),
      work(.delete, "/v1/datasets/{id}", deleteDataset),
      work(.get, "/v1/datasets/{id}/leaderboard", showLeaderboard),
      later(.get, "/v1/datasets/{id}/preview.png", previewDataset),

      work(.post, "/v1/uploads", beginUpload),
      work(.get, "/v1/uploads/{id}", describeUpload),
      later(.put, "/v1/uploads/{id}", body: examples, cutOff: keepPart, putUpload),
      later(.patch, "/v1/uploads/{id}", body: examples, cutOff: keepPart, patchUpload),
      work(.delete, "/v1/uploads/{id}", endUpload),

      work(.post, "/v1/jobs", body: json, createJob),
      work(.get, "/v1/jobs", listJobs),
      later(.get, "/v1/jobs/{id}", describeJob),
      work(.get, "/v1/jobs/{id}/events", listEvents),
      work(.get, "/v1/jobs/{id}/metrics", listMetrics),
      work(.get, "/v1/jobs/{id}/curve.png", drawCurve),
      work(.get, "/v1/jobs/{id}/samples/{epoch}.png", showEpochSamples),
      work(.post, "/v1/jobs/{id}/cancel", cancelJob),
      work(.post, "/v1/jobs/{id}/pause", pauseJob),
      work(.post, "/v1/jobs/{id}/resume", resumeJob),
      work(.post, "/v1/jobs/{id}/fork", body: json, forkJob),

      work(.get, "/v1/models", listModels),
      later(.post, "/v1/models", body: weights, importModel),
      work(.get, "/v1/models/{id}", describeModel),
      work(.delete, "/v1/models/{id}", deleteModel),
      work(.get, "/v1/models/{id}/checkpoints", listCheckpoints),
      work(.patch, "/v1/models/{id}/checkpoints/{step}", body: json, pinCheckpoint),
      work(.get, "/v1/models/{id}/weights.safetensors", exportWeights),
      later(.get, "/v1/models/{id}/model.onnx", exportGraph),
      later(.get, "/v1/models/{id}/samples", drawSamples),
      later(.get, "/v1/models/{id}/samples/{index}.png", drawSample),
      later(.get, "/v1/models/{id}/neighbours", drawNeighbours),
      later(.get, "/v1/models/{id}/filters.png", drawFilters),
      later(.post, "/v1/models/{id}/score", body: examples, score),
      later(.post, "/v1/models/{id}/encode", body: examples, encode),
      later(.post, "/v1/models/{id}/reconstruct", body: examples, reconstruct),
      later(.get, "/v1/models/{id}/interpolate", interpolate),
      later(.post, "/v1/models/{id}/complete", body: incomplete, complete),
    ]
  }

  private func atOnce(
    _ method: HTTPRequest.Method, _ pattern: String, _ endpoint: @escaping @Sendable (Request) throws -> Response
  ) -> Route {
    Route(method, pattern) { request, responder in
      do {
        responder.respond(try endpoint(request))
      } catch {
        responder.respond(self.response(to: error, request))
      }
    }
  }

  private func work(
    _ method: HTTPRequest.Method, _ pattern: String, body: BodyPolicy = .none,
    _ endpoint: @escaping @Sendable (Request) throws -> Response
  ) -> Route {
    Route(method, pattern, body: body) { request, responder in self.answer(request, responder) { try endpoint(request) } }
  }

  private func later(
    _ method: HTTPRequest.Method, _ pattern: String, body: BodyPolicy = .none, cutOff: Route.CutOffHandler? = nil,
    _ endpoint: @escaping @Sendable (Request, Responder) -> Void
  ) -> Route {
    Route(method, pattern, body: body, cutOff: cutOff, handler: endpoint)
  }
}
