import Foundation
import JSON
import Jobs
import Testing

/// Models that no job here has made.
@Suite struct `An imported model` {
  private let imported = ModelRecord(
    id: "mdl_in", job: nil, family: "made", dataset: nil, description: ["preset": "small"], newestStep: 7)

  private func insert(into record: Record) throws {
    let (_, isRepeated) = try record.insertModel(imported, once: nil) { KeptAnswer(status: 201, location: $0.id, body: []) }
    #expect(!isRepeated)
  }

  @Test func `is kept without a job or a dataset, and can be deleted`() throws {
    let folder = try TemporaryFolder()
    var record = try Record(opening: folder.database)
    try insert(into: record)
    let kept = try #require(try record.model("mdl_in"))
    #expect(kept.job == nil && kept.dataset == nil && kept.newestStep == 7)
    #expect(throws: RecordError.alreadyThere("mdl_in")) { try insert(into: record) }
    try record.close()
    record = try Record(opening: folder.database)
    #expect(try record.model("mdl_in") == kept)
    #expect(try record.models().items == [kept])
    #expect(try record.models(dataset: "ds_1").items == [])
    try record.deleteModel("mdl_in")
    #expect(try record.model("mdl_in") == nil)
  }

  /// Python's sqlite3 makes of a record what it was before models without a job were thought of.
  @Test func `finds its place in a record from before there were any`() throws {
    let folder = try TemporaryFolder()
    var record = try Record(opening: folder.database)
    let jobs = try (1...3).map { try record.submitTraining("job_\($0)") }
    try record.close()
    let program = """
      import sqlite3, sys
      db = sqlite3.connect(sys.argv[1])
      db.executescript('''
        CREATE TABLE old (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, job TEXT NOT NULL REFERENCES jobs (id),
          family TEXT NOT NULL, dataset TEXT NOT NULL, description TEXT NOT NULL, newest_step INTEGER, created_at INTEGER NOT NULL) STRICT;
        INSERT INTO old SELECT * FROM models;
        DROP TABLE models;
        ALTER TABLE old RENAME TO models;
        CREATE INDEX models_by_job ON models (job);
        CREATE INDEX models_by_dataset ON models (dataset, number);
        DELETE FROM models WHERE id = 'mdl_job_3';
        DELETE FROM grdb_migrations WHERE identifier LIKE 'models without%';
      ''')
      assert db.total_changes > 0
      print(db.execute("SELECT count(*) FROM grdb_migrations").fetchone()[0])
      db.close()
      """
    let python = Process()
    python.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    python.arguments = ["-c", program, folder.database]
    try python.run()
    python.waitUntilExit()
    try #require(python.terminationStatus == 0)
    record = try Record(opening: folder.database)
    for job in jobs.prefix(2) { #expect(try record.model("mdl_\(job.id)")?.job == job.id) }
    #expect(try record.model("mdl_job_3") == nil)
    try insert(into: record)
    try record.close()
    // The number of what was deleted is not given again.
    let read = Process()
    let output = Pipe()
    read.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    read.arguments = [
      "-c", "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT number, id FROM models ORDER BY number').fetchall())",
      folder.database,
    ]
    read.standardOutput = output
    try read.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(text == "[(1, 'mdl_job_1'), (2, 'mdl_job_2'), (4, 'mdl_in')]\n")
  }
}
