import Files
import Glibc
import Testing

struct ResourceLimitTests {
  @Test(arguments: [ResourceLimit.data, .addressSpace])
  func `memory is limited beyond what the program has by itself, however much that is`(limit: ResourceLimit) async {
    await #expect(processExitsWith: .success) { [limit = limit.rawValue as String] in
      let limit = try #require(ResourceLimit(rawValue: limit))
      #expect(limit.presentBytes() > 0)
      try limit.set(bytesBeyondPresent: 64 << 20)
      func map(_ bytes: Int) -> UnsafeMutableRawPointer? { mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) }
      #expect(map(32 << 20) != MAP_FAILED)
      #expect(map(64 << 20) == MAP_FAILED)
      // Nothing raises it again.
      #expect(throws: Never.self) { try limit.set(bytesBeyondPresent: 0) }
      #expect(map(32 << 20) == MAP_FAILED)
    }
  }

  @Test func `mapped files count against the address space alone`() async {
    await #expect(processExitsWith: .success) {
      try ResourceLimit.data.set(bytesBeyondPresent: 1 << 20)
      let program = open("/proc/self/exe", O_RDONLY)
      #expect(mmap(nil, 8 << 20, PROT_READ, MAP_PRIVATE, program, 0) != MAP_FAILED)
    }
  }
}
