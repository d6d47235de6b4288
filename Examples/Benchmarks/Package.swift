// swift-tools-version: 6.1
import PackageDescription

// The four jobs of the side-by-side comparison, and the metrics. A package of its own, so that the products of swift-rlhf stay six programs.

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
