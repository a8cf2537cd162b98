import Dispatch
import Foundation
import JSON
import Jobs
import Testing

struct RecordAnswersTests {
  let folder: TemporaryFolder
  let record: Record
  let request = KeyedRequest(key: "k1", fingerprint: "f1")

  init() throws {
    folder = try TemporaryFolder()
    record = try Record(opening: folder.database)
  }

  private func submit(_ id: String, once request: KeyedRequest?, in record: Record? = nil) throws -> (isRepeated: Bool, text: String) {
    let submitted = try (record ?? self.record).submit(.training(id), waitingMax: 1000, once: request) { job, position in
      KeptAnswer(status: 202, location: "/\(job.id)", body: Array("\(job.id) after \(position)".utf8))
    }
    return switch submitted {
    case .made(_, let answer): (false, String(decoding: answer.body, as: UTF8.self))
    case .repeated(let answer): (true, String(decoding: answer.body, as: UTF8.self))
    }
  }

  @Test func `the same request under its key is answered the same and makes nothing, after a restart too`() throws {
    #expect(try submit("a", once: nil) == (false, "a after 0"))
    #expect(try submit("b", once: request) == (false, "b after 1"))
    #expect(try submit("c", once: request) == (true, "b after 1"))
    _ = try record.apply(.cancel, to: "b")
    try record.close()
    let again = try Record(opening: folder.database)
    #expect(try submit("d", once: request, in: again) == (true, "b after 1"))
    #expect(try again.answer(to: request)?.location == "/b")
    #expect(try again.jobs().items.map(\.id) == ["b", "a"])
  }

  @Test func `a key that comes back with another request is refused, and another owner's is another key`() throws {
    _ = try submit("a", once: request)
    let other = KeyedRequest(key: "k1", fingerprint: "f2")
    #expect(throws: RecordError.keyReused("k1")) { try submit("b", once: other) }
    #expect(throws: RecordError.keyReused("k1")) { try record.answer(to: other) }
    #expect(try record.job("b") == nil)
    #expect(try submit("c", once: KeyedRequest(owner: "bob", key: "k1", fingerprint: "f2")) == (false, "c after 1"))
  }

  @Test func `a submission that fails keeps no answer`() throws {
    #expect(throws: RecordError.unknownDataset("ds_9")) {
      try record.submit(.training("a", datasets: ["ds_9"]), waitingMax: 10, once: request) { _, _ in
        KeptAnswer(status: 202, location: nil, body: [])
      }
    }
    #expect(try record.answer(to: request) == nil)
  }

  @Test func `of many at once one is made, and all are told of it`() throws {
    let answers = Shared<Set<String>>([])
    let failures = Shared(0)
    DispatchQueue.concurrentPerform(iterations: 24) { index in
      do {
        let answer = try submit("job_\(index)", once: request)
        answers.change { $0.insert(answer.text) }
      } catch { failures.change { $0 += 1 } }
    }
    #expect(failures.value == 0)
    #expect(answers.value.count == 1)
    #expect(try record.jobs().items.count == 1)
  }

  @Test func `datasets together keep to their bytes, a shared blob counted once, and a repeat is as it was`() throws {
    func insert(_ dataset: DatasetRecord, once request: KeyedRequest? = nil, isRepeated: Bool = false) throws -> Int {
      let inserted = try record.insertDataset(dataset, bytesMax: 10_000, once: request) { _, insertion in
        KeptAnswer(status: insertion == .new ? 201 : 200, location: nil, body: [])
      }
      #expect(inserted.isRepeated == isRepeated)
      return inserted.answer.status
    }
    #expect(try insert(.example("ds_1", blob: "a"), once: request) == 201)
    #expect(try insert(.example("ds_2", blob: "b")) == 201)
    #expect(throws: RecordError.datasetsFull(bytesMax: 10_000, bytes: 5000)) { try insert(.example("ds_3", blob: "c")) }
    #expect(try insert(.example("ds_4", blob: "a")) == 201)
    #expect(try insert(.example("ds_1", blob: "a")) == 200)
    #expect(try insert(.example("ds_1", blob: "a"), once: request, isRepeated: true) == 201)
  }
}
