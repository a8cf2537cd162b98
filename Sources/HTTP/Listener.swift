import CSystem
import Foundation

/// A listening socket. Several shards listen on one port, each with its own, and the kernel deals the connections out.
struct Listener {
  let descriptor: Descriptor

  enum Arrival {
    case connection(Descriptor, from: SocketAddress)
    case none
    /// No descriptor or memory is left for it; it still waits.
    case exhausted
  }

  /// - Parameter sharing: whether other listeners of this process are to share the port.
  init(address: SocketAddress, sharing: Bool) throws(SystemCallError) {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let number = socket(address.family, type, 0)
    guard number >= 0 else { throw SystemCallError(operation: "socket", subject: address.text, code: errno) }
    descriptor = Descriptor(number: number)
    do throws(SystemCallError) {
      try Self.set(SOL_SOCKET, SO_REUSEADDR, of: number)
      if sharing { try Self.set(SOL_SOCKET, SO_REUSEPORT, of: number) }
      // Accepted connections inherit it.
      try Self.set(Int32(IPPROTO_TCP), TCP_NODELAY, of: number)
      try address.bind(descriptor)
    } catch {
      descriptor.close()
      throw error
    }
  }

  /// The kernel cuts the backlog to its own limit, net.core.somaxconn.
  func listen() throws(SystemCallError) {
    guard Foundation.listen(descriptor.number, 4096) == 0 else {
      throw SystemCallError(operation: "listen", subject: "a socket", code: errno)
    }
  }

  /// accept4(2), passing over connections that were gone before we came.
  func accept() -> Arrival {
    while true {
      var address = sockaddr_storage()
      var bytes = socklen_t(MemoryLayout<sockaddr_storage>.size)
      let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
      let number = unsafe withUnsafeMutablePointer(to: &address) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe accept4(descriptor.number, $0, &bytes, flags) }
      }
      if number >= 0 { return unsafe .connection(Descriptor(number: number), from: SocketAddress(address)) }
      switch errno {
      case EAGAIN: return .none
      case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
      case EINTR, ECONNABORTED, EPROTO, EPERM: continue
      default: return .none
      }
    }
  }

  private static func set(_ level: Int32, _ option: Int32, of number: Int32) throws(SystemCallError) {
    var on: Int32 = 1
    guard unsafe setsockopt(number, level, option, &on, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
      throw SystemCallError(operation: "setsockopt", subject: "option \(option)", code: errno)
    }
  }
}

/// A numeric address and port, of IPv4 or IPv6.
struct SocketAddress {
  private var storage: sockaddr_storage

  init(_ storage: sockaddr_storage) { self.storage = storage }

  /// Nil when `host` is neither a numeric address nor `localhost`: names are the resolver's, and it may hang.
  init?(host: String, port: UInt16) {
    storage = sockaddr_storage()
    var four = in_addr()
    var six = in6_addr()
    let host = host == "localhost" ? "127.0.0.1" : host
    if unsafe inet_pton(AF_INET, host, &four) == 1 {
      let address = sockaddr_in(
        sin_family: sa_family_t(AF_INET), sin_port: port.bigEndian, sin_addr: four, sin_zero: (0, 0, 0, 0, 0, 0, 0, 0))
      unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in.self) }
    } else if unsafe inet_pton(AF_INET6, host.filter { $0 != "[" && $0 != "]" }, &six) == 1 {
      let address = sockaddr_in6(
        sin6_family: sa_family_t(AF_INET6), sin6_port: port.bigEndian, sin6_flowinfo: 0, sin6_addr: six, sin6_scope_id: 0)
      unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in6.self) }
    } else {
      return nil
    }
  }

  /// The address that a socket is bound to.
  init(boundTo descriptor: Descriptor) throws(SystemCallError) {
    var storage = sockaddr_storage()
    var bytes = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = unsafe withUnsafeMutablePointer(to: &storage) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(descriptor.number, $0, &bytes) }
    }
    guard result == 0 else { throw SystemCallError(operation: "getsockname", subject: "a socket", code: errno) }
    self.storage = storage
  }

  var family: Int32 { Int32(storage.ss_family) }

  /// Both families keep the port right behind the family.
  var port: UInt16 { unsafe withUnsafeBytes(of: storage) { unsafe UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self)) } }

  /// The address alone, as numbers.
  var host: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let offset = family == AF_INET ? 4 : 8  // sin_addr and sin6_addr
    let found = unsafe withUnsafeBytes(of: storage) {
      unsafe inet_ntop(family, $0.baseAddress.map { unsafe $0 + offset }, &text, socklen_t(text.count)) != nil
    }
    return found ? String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : "unknown"
  }

  /// Who is behind it: an IPv4 address, as it is or mapped into IPv6 (RFC 4291 §2.5.5.2), else the first 64 bits of an IPv6 one (§2.5.4).
  var network: String {
    guard family == AF_INET6 else { return host }
    let bytes = unsafe withUnsafeBytes(of: storage) { unsafe Array($0[8..<24]) }  // sin6_addr
    let isMapped = bytes.starts(with: [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF])
    if isMapped { return bytes[12...].map { String($0) }.joined(separator: ".") }
    return bytes[..<8].map { String($0, radix: 16) }.joined(separator: ":")
  }

  var text: String { family == AF_INET ? "\(host):\(port)" : "[\(host)]:\(port)" }

  func bind(_ descriptor: Descriptor) throws(SystemCallError) {
    let bytes = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
    let result = unsafe withUnsafePointer(to: storage) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe Foundation.bind(descriptor.number, $0, socklen_t(bytes)) }
    }
    guard result == 0 else { throw SystemCallError(operation: "bind", subject: text, code: errno) }
  }
}
