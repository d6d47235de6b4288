// swift-tools-version: 6.1
import PackageDescription

// A package that has another `Models` already. Ours gets a name of its own; where swift-rlhf is depended on by path, its folder must be
// called swift-rlhf for that. Examples/Consumer/check.sh builds it by version.

let names = ["Models": "RLHFModels"]

let package = Package(
    name: "module-aliases",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: Context.environment["SWIFT_RLHF_URL"] ?? "https://example.org/swift-rlhf", from: "0.1.0"),
        .package(path: "Cars"),
    ],
    targets: [
        .executableTarget(
            name: "app",
            dependencies: [
                .product(name: "Models", package: "Cars"),
                .product(name: "Models", package: "swift-rlhf", moduleAliases: names),
                .product(name: "TextGeneration", package: "swift-rlhf", moduleAliases: names),
            ],
            path: "Sources/App")
    ]
)
