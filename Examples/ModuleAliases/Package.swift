// swift-tools-version: 6.1
import PackageDescription

// A package that already has a module `Models`. A module alias renames that of swift-rlhf. With a dependency by path, the folder must be
// called swift-rlhf for this. Examples/Consumer/check.sh builds this package with a dependency by version.

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
