// swift-tools-version: 6.2
// Fount trains generative models over HTTP. The targets stand in reading order: from the program inwards to the kernels.
import PackageDescription

let swift: [SwiftSetting] = [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")]
/// For the modules that hold raw pointers: every use is marked `unsafe`, so that a reader finds them all.
let swiftWithPointers = swift + [.strictMemorySafety()]
/// What stands beside the code for people to read.
let readme = ["README.md"]
let c: [CSetting] = [.treatAllWarnings(as: .error)]

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: swift)
}

let package = Package(
  name: "fount",
  products: [.executable(name: "fount", targets: ["fount"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // The program and its glue.
    .executableTarget(
      name: "fount",
      dependencies: [
        "Service", "HTTP", "Training", "Datasets", "Models", "Tensors", "Files", "JSON", "Systemd",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: swift),
    .executableTarget(
      name: "reference-server",
      dependencies: [
        "HTTP",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: swift),
    .target(
      name: "Service",
      dependencies: [
        "HTTP", "Jobs", "Training", "Evaluation", "Datasets", "Models", "Tensors", "Images", "Files", "JSON", "CPage",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Yams", package: "Yams"),
      ],
      exclude: readme, swiftSettings: swift),
    // The page that people see: HTML, CSS and JavaScript, which end up in the program.
    .target(name: "CPage", exclude: ["files", "README.md"], cSettings: c),

    // The server.
    .target(
      name: "HTTP",
      dependencies: [
        "CSystem", "COpenSSL", "CZlib",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
      ],
      exclude: readme, swiftSettings: swiftWithPointers),

    // What the service manager is told.
    .target(
      name: "Systemd", dependencies: ["CSystem", .product(name: "Logging", package: "swift-log")], swiftSettings: swiftWithPointers),

    // The record and the children.
    .target(
      name: "Jobs",
      dependencies: [
        "Files", "JSON", "CSystem",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Logging", package: "swift-log"),
      ],
      exclude: readme, swiftSettings: swiftWithPointers),

    // The models.
    .target(
      name: "Training",
      dependencies: ["Models", "Evaluation", "ONNX", "Tensors", "Datasets", "Images", "Files", "JSON", "CSystem"],
      exclude: readme, swiftSettings: swift),
    .target(name: "Evaluation", dependencies: ["Models", "Tensors", "JSON"], exclude: readme, swiftSettings: swift),
    .target(name: "Models", dependencies: ["ONNX", "Tensors", "JSON"], exclude: readme, swiftSettings: swift),
    .target(name: "ONNX", dependencies: ["Tensors"], swiftSettings: swift),
    .target(name: "Tensors", dependencies: ["CKernels"], exclude: readme, swiftSettings: swiftWithPointers),
    .target(name: "CKernels", cSettings: c),

    // Bytes in and out.
    .target(
      name: "Datasets", dependencies: ["Files", "JSON", "CZlib", "CPNG", "CJPEG", "CArchive"], exclude: readme,
      swiftSettings: swiftWithPointers),
    .target(name: "CPNG", cSettings: c, linkerSettings: [.linkedLibrary("png16")]),
    .target(name: "Images", dependencies: ["CZlib"], swiftSettings: swiftWithPointers),
    .target(name: "Files", dependencies: ["COpenSSL"], swiftSettings: swiftWithPointers),
    .target(name: "JSON", swiftSettings: swift),

    // What Debian gives (libpng-dev, too, which CPNG wraps), and the calls of Linux that Foundation does not import.
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CSystem"),

    tests("JSONTests", ["JSON"]),
    tests("FilesTests", ["Files"]),
    tests("ImagesTests", ["Images"]),
    tests("DatasetsTests", ["Datasets", "Files", "JSON"], exclude: ["Hostile", "Fuzz"]),
    tests("TensorsTests", ["Tensors"], exclude: ["Bits"]),
    tests("BenchTests", ["fount", "Tensors"], exclude: ["Peers"]),
    tests("ModelsTests", ["Models", "ONNX", "Tensors", "JSON", "Evaluation"], exclude: ["Peers"]),
    tests("TrainingTests", ["Training", "Models", "Evaluation", "Tensors", "Datasets", "Files", "JSON"]),
    tests("JobsTests", ["Jobs", "Files", "JSON"]),
    tests("HTTPTests", ["HTTP", .product(name: "HTTPTypes", package: "swift-http-types")]),
    tests(
      "ServiceTests",
      ["Service", "fount", "HTTP", "Jobs", "Images", "JSON", "Files", .product(name: "Logging", package: "swift-log")]),
    tests("TidyTests", []),
  ]
)
