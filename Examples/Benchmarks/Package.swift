// swift-tools-version: 6.1
import PackageDescription

// The tasks of the comparison with PyTorch, and the metrics. It is a separate package, so that it adds no product to swift-rlhf.

let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-rlhf", path: "../..")],
    targets: [
        .executableTarget(
            name: "benchmarks",
            dependencies: ["Tensor", "Models", "Data", "Eval", "Diversity", "Train"].map {
                .product(name: $0, package: "swift-rlhf")
            },
            path: "Sources/Benchmarks")
    ],
    swiftLanguageModes: [.v6]
)
