import CSystem
import Foundation

/// Bytes to a server and back, each call waiting until it is done.
protocol ClientTransport: AnyObject {
  func send(_ bytes: ArraySlice<UInt8>) throws(ClientError)
  /// 0 at the end.
  func receive(into buffer: inout [UInt8]) throws(ClientError) -> Int
  /// Whether something can be received within that time.
  func hasInput(withinMilliseconds milliseconds: Int32) -> Bool
}

/// A connection of TCP whose calls block. A class because it owns its descriptor.
final class ClientSocket: ClientTransport {
  let descriptor: Descriptor

  /// Tries every address that the host's name has.
  init(to address: ServerAddress, silenceSecondsMax: Int) throws(ClientError) {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let status = unsafe getaddrinfo(address.host, String(address.port), &hints, &found)
    guard status == 0 else { throw .unreachable("the host \(address.host) is not found: \(unsafe String(cString: gai_strerror(status)))") }
    defer { unsafe freeaddrinfo(found) }
    var reason = "it has no address"
    var next = unsafe found
    while let candidate = unsafe next {
      if let connected = unsafe Self.connect(candidate.pointee) {
        descriptor = connected
        Self.limit(silenceSecondsMax, SO_RCVTIMEO, of: connected)
        return
      }
      reason = errno == EINPROGRESS ? "it does not answer" : unsafe String(cString: strerror(errno))
      unsafe next = unsafe candidate.pointee.ai_next
    }
    throw .unreachable("no server answers at \(address): \(reason)")
  }

  deinit { descriptor.close() }

  /// Chosen: a server that is there answers within a round trip.
  private static let connectSecondsMax = 10

  private static func connect(_ candidate: addrinfo) -> Descriptor? {
    let type = unsafe candidate.ai_socktype | Int32(SOCK_CLOEXEC.rawValue)
    let number = unsafe socket(candidate.ai_family, type, candidate.ai_protocol)
    guard number >= 0 else { return nil }
    let descriptor = Descriptor(number: number)
    // It bounds connect(2), too (socket(7)).
    limit(connectSecondsMax, SO_SNDTIMEO, of: descriptor)
    guard unsafe Foundation.connect(number, candidate.ai_addr, candidate.ai_addrlen) == 0 else {
      let code = errno
      descriptor.close()
      errno = code
      return nil
    }
    return descriptor
  }

  private static func limit(_ seconds: Int, _ option: Int32, of descriptor: Descriptor) {
    var time = timeval(tv_sec: seconds, tv_usec: 0)
    _ = unsafe setsockopt(descriptor.number, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
  }

  func send(_ bytes: ArraySlice<UInt8>) throws(ClientError) {
    var start = bytes.startIndex
    while start < bytes.endIndex {
      let rest = bytes[start...]
      let transfer = unsafe rest.withUnsafeBytes { rest in
        Transfer { unsafe Foundation.send(descriptor.number, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL)) }
      }
      switch transfer {
      case .bytes(let count): start += count
      case .wouldBlock: throw .timedOut("the server takes no more bytes")
      case .failed(let code): throw .broken("the connection broke while sending: \(unsafe String(cString: strerror(code)))")
      }
    }
  }

  func receive(into buffer: inout [UInt8]) throws(ClientError) -> Int {
    switch descriptor.receive(into: &buffer) {
    case .bytes(let count): return count
    case .wouldBlock: throw .timedOut("the server is silent")
    case .failed(let code): throw .broken("the connection broke: \(unsafe String(cString: strerror(code)))")
    }
  }

  func hasInput(withinMilliseconds milliseconds: Int32) -> Bool {
    var waiting = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&waiting, 1, milliseconds) > 0
  }
}
