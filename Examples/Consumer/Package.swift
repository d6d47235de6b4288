// swift-tools-version: 6.1
import PackageDescription

// An example of a separate package. It depends on swift-rlhf by path, or by version if SWIFT_RLHF_URL is the URL of a repository.

let swiftRLHF: Package.Dependency =
    if let url = Context.environment["SWIFT_RLHF_URL"] {
        .package(url: url, from: "0.1.0")
    } else {
        .package(name: "swift-rlhf", path: Context.environment["SWIFT_RLHF_PATH"] ?? "../..")
    }

let package = Package(
    name: "consumer",
    platforms: [.macOS(.v15)],
    dependencies: [swiftRLHF],
    targets: [
        .executableTarget(
            name: "consumer",
            dependencies: [
                "Tensor", "Formats", "Models", "Data", "TextGeneration", "Eval", "Diversity", "Services", "Train", "Runs", "Study",
            ].map {
                .product(name: $0, package: "swift-rlhf")
            },
            path: "Sources/Consumer"),
        // depends only on Study and Runs; check.sh checks what it links
        .executableTarget(
            name: "resume-anything",
            dependencies: ["Runs", "Study"].map { .product(name: $0, package: "swift-rlhf") },
            path: "Sources/ResumeAnything"),
    ]
)
