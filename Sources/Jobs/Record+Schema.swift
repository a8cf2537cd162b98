import Files
import GRDB

/// The tables, as migrations: each runs once on a file, in this order, and is never edited after it has shipped.
///
/// `number` orders a list: it grows with every insert and is never used twice, so that a clock set back can't reorder anything.
/// A job's datasets and model are names, not references: what a job was asked stays readable after its dataset is deleted, and
/// `Record` itself keeps what an unfinished job needs from being deleted.
extension Record {
  static var migrations: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("datasets, jobs, models, history, events") { db in
      try db.execute(
        sql: """
          CREATE TABLE datasets (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            name TEXT,
            upload_digest TEXT NOT NULL,
            blob_digest TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            description TEXT NOT NULL,
            created_at INTEGER NOT NULL
          ) STRICT;
          CREATE TABLE jobs (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            status TEXT NOT NULL,
            request TEXT NOT NULL,
            family TEXT,
            model TEXT,
            seed INTEGER NOT NULL,
            priority INTEGER NOT NULL,
            name TEXT,
            metadata TEXT NOT NULL,
            progress TEXT,
            metrics TEXT,
            result TEXT,
            failure TEXT,
            attempt INTEGER NOT NULL DEFAULT 0,
            deaths_since_checkpoint INTEGER NOT NULL DEFAULT 0,
            events_offset INTEGER NOT NULL DEFAULT 0,
            created_at INTEGER NOT NULL
          ) STRICT;
          CREATE INDEX jobs_to_claim ON jobs (status, priority DESC, number);
          CREATE INDEX jobs_by_family ON jobs (family, number);
          CREATE INDEX jobs_by_model ON jobs (model);
          CREATE TABLE job_datasets (
            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            place INTEGER NOT NULL,
            dataset TEXT NOT NULL,
            PRIMARY KEY (job, place)
          ) STRICT, WITHOUT ROWID;
          CREATE INDEX job_datasets_by_dataset ON job_datasets (dataset, job);
          CREATE TABLE models (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            job TEXT NOT NULL REFERENCES jobs (id),
            family TEXT NOT NULL,
            dataset TEXT NOT NULL,
            description TEXT NOT NULL,
            newest_step INTEGER,
            created_at INTEGER NOT NULL
          ) STRICT;
          CREATE INDEX models_by_job ON models (job);
          CREATE INDEX models_by_dataset ON models (dataset, number);
          CREATE TABLE history (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            status TEXT NOT NULL,
            at INTEGER NOT NULL
          ) STRICT;
          CREATE INDEX history_by_job ON history (job, number);
          CREATE TABLE events (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            type TEXT NOT NULL,
            body TEXT NOT NULL,
            at INTEGER NOT NULL
          ) STRICT;
          CREATE INDEX events_by_job ON events (job, number);
          """)
    }
    migrator.registerMigration("how large a blob is") { db in
      try db.execute(sql: "ALTER TABLE datasets ADD COLUMN blob_bytes INTEGER NOT NULL DEFAULT 0")
    }
    migrator.registerMigration("owners and their turns, answers kept for repeats, the record's own id") { db in
      try db.execute(
        sql: """
          ALTER TABLE jobs ADD COLUMN owner TEXT NOT NULL DEFAULT '';
          DROP INDEX jobs_to_claim;
          CREATE INDEX jobs_to_claim ON jobs (status, owner, priority DESC, number);
          CREATE TABLE owners (
            owner TEXT PRIMARY KEY,
            turn INTEGER NOT NULL UNIQUE
          ) STRICT, WITHOUT ROWID;
          INSERT INTO owners (owner, turn) SELECT '', 1 WHERE EXISTS (SELECT 1 FROM jobs);
          CREATE TABLE answers (
            owner TEXT NOT NULL,
            key TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            status INTEGER NOT NULL,
            location TEXT,
            body BLOB NOT NULL,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (owner, key)
          ) STRICT, WITHOUT ROWID;
          CREATE INDEX answers_by_age ON answers (created_at);
          CREATE TABLE identity (id TEXT NOT NULL) STRICT;
          """)
      try db.execute(sql: "INSERT INTO identity (id) VALUES (?)", arguments: [Identifier.random(prefix: "rec")])
    }
    migrator.registerMigration("models without a job or a dataset here") { db in
      // SQLite can't loosen a column; numbers go on from where they were.
      try db.execute(
        sql: """
          CREATE TABLE models_loosened (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            job TEXT REFERENCES jobs (id),
            family TEXT NOT NULL,
            dataset TEXT,
            description TEXT NOT NULL,
            newest_step INTEGER,
            created_at INTEGER NOT NULL
          ) STRICT;
          INSERT INTO models_loosened SELECT number, id, job, family, dataset, description, newest_step, created_at FROM models;
          DELETE FROM sqlite_sequence WHERE name = 'models_loosened';
          INSERT INTO sqlite_sequence (name, seq) SELECT 'models_loosened', seq FROM sqlite_sequence WHERE name = 'models';
          DROP TABLE models;
          ALTER TABLE models_loosened RENAME TO models;
          CREATE INDEX models_by_job ON models (job);
          CREATE INDEX models_by_dataset ON models (dataset, number);
          """)
    }
    migrator.registerMigration("keys of access") { db in
      try db.execute(
        sql: """
          CREATE TABLE keys (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            digest TEXT NOT NULL UNIQUE,
            scope TEXT NOT NULL,
            name TEXT,
            created_at INTEGER NOT NULL,
            revoked_at INTEGER
          ) STRICT;
          """)
    }
    return migrator
  }
}
