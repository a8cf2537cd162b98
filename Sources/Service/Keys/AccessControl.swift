import Dispatch
import Foundation
import HTTP
import HTTPTypes
import Jobs
import Logging
import Synchronization

/// Who may speak to this server: those with a key, and where there are no keys, programs of this machine that mean it.
///
/// A class because it has a lock: the keys in force, read from the record once a second, so that no request waits for a disk.
final class AccessControl: Sendable {
  private let record: Record
  private let meter: RequestMeter
  private let keys: Mutex<[AccessKey]>
  private let logger: Logger
  private let isLoopback: Bool
  private let queue = DispatchQueue(label: "fount.keys")

  /// Reads the keys, and refuses to let a server be reached from outside without any.
  init(_ configuration: ServiceConfiguration, record: Record, logger: Logger) throws {
    self.record = record
    self.logger = logger
    isLoopback = configuration.isLoopback
    meter = RequestMeter(perSecondMax: configuration.keyRequestsPerSecondMax, perDayMax: configuration.keyRequestsPerDayMax)
    let keys = try record.keys().compactMap(AccessKey.init)
    guard isLoopback || !keys.isEmpty else {
      throw StartRefused(
        "the host \(configuration.host) can be reached by others, and there is no key that would keep them out; make one with"
          + " fount key create --scope admin --database \(configuration.database), or listen on 127.0.0.1")
    }
    self.keys = Mutex(keys)
    refreshInASecond()
  }

  private func refreshInASecond() {
    queue.asyncAfter(deadline: .now() + 1) { [weak self] in
      self?.refresh()
      self?.refreshInASecond()
    }
  }

  private func refresh() {
    do {
      let current = try record.keys().compactMap(AccessKey.init)
      keys.withLock { $0 = current }
    } catch {
      // The keys that were in force stay so; a record that is closed has no server any more.
      logger.debug("the keys could not be read: \(error)")
    }
  }

  /// Why the request may not be made; nil where it may, and then `head` tells whose it is.
  func problem(of head: inout RequestHead) -> Problem? {
    let keys = self.keys.withLock { $0 }
    // A server that others reach stays closed when its last key is revoked.
    if keys.isEmpty, isLoopback { return LocalChecks().problem(of: head) }
    guard let scope = AccessScope.needed(by: head) else { return nil }
    guard let presented = AccessKey.presented(by: head) else {
      return .unauthorized("a key is needed: Authorization: Bearer KEY; the operator makes one with fount key create", error: nil)
    }
    let digest = AccessKey.digest(of: presented)
    var found: AccessKey?
    for key in keys where key.isOf(digest) { found = key }
    guard let key = found else { return .unauthorized("the key is not known, or has been revoked", error: "invalid_token") }
    head.principal = key.id
    let allowance = meter.take(key.id)
    if let seconds = allowance.waitSeconds {
      let what = allowance.policy == "day" ? "its requests of today" : "more requests than it may in a second"
      return Problem(.tooManyRequests, "the key \(key.id) has made \(what)", headers: [.retryAfter: "\(seconds)"])
    }
    guard key.scope >= scope else {
      // RFC 6750 §3.1.
      return Problem(
        .forbidden, "this needs a key of the scope \(scope.rawValue); the one given has \(key.scope.rawValue)",
        headers: [.wwwAuthenticate: "Bearer realm=\"fount\", error=\"insufficient_scope\", scope=\"\(scope.rawValue)\""])
    }
    return nil
  }

  /// Tells a key what it has left.
  func addFields(for principal: String, to headers: inout HTTPFields) {
    guard !principal.isEmpty else { return }
    meter.addFields(meter.allowance(of: principal), to: &headers)
  }
}

extension Problem {
  /// RFC 9110 §11.6.1, RFC 6750 §3.
  fileprivate static func unauthorized(_ detail: String, error: String?) -> Problem {
    let challenge = "Bearer realm=\"fount\"" + (error.map { ", error=\"\($0)\"" } ?? "")
    return Problem(.unauthorized, detail, headers: [.wwwAuthenticate: challenge])
  }
}
