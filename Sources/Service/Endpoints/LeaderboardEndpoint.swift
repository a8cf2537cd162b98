import HTTP
import JSON
import Jobs

extension FountService {
  /// So many evaluations are looked through, the newest ones; chosen, more than anyone compares.
  private static let evaluationsMax = 10_000

  /// Models that are gone are not told of.
  func showLeaderboard(_ request: Request) throws -> Response {
    try QueryReader(request).finish()
    guard let id = request.parameters["id"], try record.dataset(id) != nil else {
      throw Problem.notFound("dataset", request.parameters["id"] ?? "")
    }
    let jobs = try record.jobs(status: .succeeded, dataset: id, limit: Self.evaluationsMax).items
    // A training job's first dataset is not one that it was evaluated on.
    let evaluations = jobs.filter { $0.kind == "evaluate" && $0.datasets.first == id }
    let models = try Set(evaluations.compactMap(\.model)).filter { try record.model($0) != nil }
    let board = Leaderboard(of: evaluations.filter { job in job.model.map { models.contains($0) } ?? false })
    return .json(["dataset": .string(id), "metrics": board.json])
  }
}
