/// Where a job stands. A closed set: every switch over it names every case.
///
///     queued → running → succeeded | failed | cancelled
///     running → pausing → paused → queued
///     running → cancelling → cancelled
///     running → interrupted → queued
///
/// The machine is pure: it knows no clock, no disk and no process. `Record` applies it inside a transaction.
package enum JobStatus: String, Sendable, CaseIterable {
  case queued, running, pausing, paused, cancelling, interrupted, succeeded, failed, cancelled

  /// A finished status never changes.
  package var isFinished: Bool {
    switch self {
    case .succeeded, .failed, .cancelled: true
    case .queued, .running, .pausing, .paused, .cancelling, .interrupted: false
    }
  }

  /// A worker may be at work on the job.
  package var hasWorker: Bool {
    switch self {
    case .running, .pausing, .cancelling: true
    case .queued, .paused, .interrupted, .succeeded, .failed, .cancelled: false
    }
  }
}

/// What a user can ask of a job.
package enum JobVerb: String, Sendable, CaseIterable {
  case cancel, pause, resume
}

/// The status does not admit the verb. Nothing has changed.
package struct VerbRefused: Error, Hashable, CustomStringConvertible {
  package let verb: JobVerb
  package let status: JobStatus

  package init(verb: JobVerb, status: JobStatus) {
    self.verb = verb
    self.status = status
  }

  package var description: String {
    status.isFinished
      ? "the job has \(status == .cancelled ? "been cancelled" : status.rawValue) and no longer changes; it can't \(verb.rawValue)"
      : "a job that is \(status.rawValue) can't \(verb.rawValue)"
  }
}

extension JobStatus {
  /// The status after a user's verb; the same status where the verb has nothing left to do.
  package func after(_ verb: JobVerb) throws(VerbRefused) -> JobStatus {
    switch (verb, self) {
    case (.cancel, .queued), (.cancel, .paused), (.cancel, .interrupted), (.cancel, .cancelled): .cancelled
    case (.cancel, .running), (.cancel, .pausing), (.cancel, .cancelling): .cancelling
    case (.pause, .queued), (.pause, .interrupted), (.pause, .paused): .paused
    case (.pause, .running), (.pause, .pausing): .pausing
    case (.resume, .paused), (.resume, .queued): .queued
    case (.resume, .running), (.resume, .interrupted): self
    case (.cancel, .succeeded), (.cancel, .failed): throw VerbRefused(verb: verb, status: self)
    case (.pause, .cancelling), (.pause, .succeeded), (.pause, .failed), (.pause, .cancelled):
      throw VerbRefused(verb: verb, status: self)
    case (.resume, .pausing), (.resume, .cancelling), (.resume, .succeeded), (.resume, .failed), (.resume, .cancelled):
      throw VerbRefused(verb: verb, status: self)
    }
  }

  /// Whether the verb would change something.
  package func hasUse(for verb: JobVerb) -> Bool {
    do { return try after(verb) != self } catch { return false }
  }

  /// The status after a worker's attempt has ended, nil where no worker can have been at work.
  ///
  /// - Parameter mayGoOn: false once a job has died too often without getting further.
  package func after(_ ending: AttemptEnding, mayGoOn: Bool) -> JobStatus? {
    switch (self, ending) {
    case (.cancelling, _): .cancelled
    case (.running, .succeeded), (.pausing, .succeeded): .succeeded
    case (.running, .failed), (.pausing, .failed): .failed
    case (.pausing, .stopped), (.pausing, .died), (.pausing, .hindered): .paused
    case (.running, .stopped), (.running, .hindered): .interrupted
    case (.running, .died): mayGoOn ? .interrupted : .failed
    case (.queued, _), (.paused, _), (.interrupted, _), (.succeeded, _), (.failed, _), (.cancelled, _): nil
    }
  }

  /// The statuses that a job passes through when the server that ran it is gone. One that was asked to leave goes on leaving, until its
  /// worker is known to be gone and what it has told is heard.
  package var afterServerDeath: [JobStatus] {
    switch self {
    case .running: [.interrupted, .queued]
    case .interrupted: [.queued]
    case .queued, .pausing, .paused, .cancelling, .succeeded, .failed, .cancelled: []
    }
  }
}
