// swift-tools-version: 6.1
import PackageDescription

// The manifest is the map: C kernels, short floats → Tensor, Formats → Models, Data → TextGeneration, Eval, Diversity, Train, Runs →
// Study → Report → CommandLine → seven programs → tests. Beside Train: MPICollective, for many processes.
// Each library imports only what its line names; Docs/architecture.md says what each of them owns.

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "swift-rlhf",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Formats", targets: ["Formats"]),
        .library(name: "Tensor", targets: ["Tensor"]),
        .library(name: "Models", targets: ["Models"]),
        .library(name: "Data", targets: ["Data"]),
        .library(name: "TextGeneration", targets: ["TextGeneration"]),
        .library(name: "Eval", targets: ["Eval"]),
        .library(name: "Diversity", targets: ["Diversity"]),
        .library(name: "Train", targets: ["Train"]),
        .library(name: "MPICollective", targets: ["MPICollective"]),
        .library(name: "Services", targets: ["Services"]),
        .library(name: "Runs", targets: ["Runs"]),
        .library(name: "Study", targets: ["Study"]),
        .library(name: "Report", targets: ["Report"]),
        .library(name: "CommandLine", targets: ["CommandLine"]),
        .executable(name: "train-sft", targets: ["train-sft"]),
        .executable(name: "train-reward-model", targets: ["train-reward-model"]),
        .executable(name: "train-ppo", targets: ["train-ppo"]),
        .executable(name: "train-preference", targets: ["train-preference"]),
        .executable(name: "sample-best-of-n", targets: ["sample-best-of-n"]),
        .executable(name: "calculate-diversity", targets: ["calculate-diversity"]),
        .executable(name: "rlhf-report", targets: ["rlhf-report"]),
    ],
    traits: [
        .trait(name: "MPI", description: "Many processes over MPI. Needs an MPI library with its headers and pkg-config's mpi-c.")
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.100.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    ],
    targets: [
        // MARK: Numerical ground
        .systemLibrary(
            name: "COpenBLAS", pkgConfig: "lapacke openblas",
            providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
        .target(name: "CKernels"),
        .target(name: "ShortFloats"),
        .target(name: "Tensor", dependencies: ["COpenBLAS", "CKernels", "ShortFloats"]),

        // MARK: Every format of bytes, and the models and data that are read from them
        .systemLibrary(name: "CSystemZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "Formats", dependencies: ["CSystemZlib", "ShortFloats"]),
        .target(name: "Models", dependencies: ["ShortFloats", "Tensor", "Formats"]),
        .target(name: "Data", dependencies: ["Formats", heap]),

        // MARK: Text in, text out
        .target(name: "TextGeneration", dependencies: ["Tensor", "Formats", "Models", "Data"]),

        // MARK: Metrics
        .target(name: "Eval", dependencies: ["Formats", "Tensor", "Models", "Data"]),
        .target(name: "Diversity", dependencies: ["Formats", "Tensor", "Models", "Data", "Eval"]),

        // MARK: Training and what it leaves on disk
        .target(name: "Train", dependencies: ["Formats", "Tensor", "Models", "Data", "Eval"]),
        .target(name: "Runs", dependencies: ["Formats", "Data", "Train"]),

        // MARK: Many processes: without the trait MPI these targets need no MPI library, and can start none
        .systemLibrary(name: "CSystemMPI", pkgConfig: "mpi-c", providers: [.apt(["libopenmpi-dev", "openmpi-bin"])]),
        .target(
            name: "CMPI", dependencies: [.target(name: "CSystemMPI", condition: .when(traits: ["MPI"]))],
            cSettings: [.define("SWK_MPI", .when(traits: ["MPI"]))]),
        .target(name: "MPICollective", dependencies: ["CMPI", "Train"]),

        // MARK: Services on other machines: the one target behind which networking is built
        .target(
            name: "Services", dependencies: ["Formats", "Eval", "Diversity", "Train", "Runs", asyncHTTPClient, nioCore, nioHTTP1, nioPosix]),

        // MARK: Whole stages, and what is made of their runs: no argument parser, no networking
        .target(
            name: "Study",
            dependencies: ["Formats", "Tensor", "Models", "Data", "TextGeneration", "Eval", "Diversity", "Train", "Runs"]),
        .target(
            name: "Report",
            dependencies: ["Formats", "Tensor", "Models", "Data", "TextGeneration", "Eval", "Diversity", "Train", "Runs", "Study"],
            resources: [
                .embedInCode("Page/page.css"), .embedInCode("Page/sort.js"), .embedInCode("Page/texts.css"), .embedInCode("Page/texts.js"),
                .embedInCode("Page/annotate.css"), .embedInCode("Page/annotate.js"),
            ]),

        // MARK: Command lines
        .target(
            name: "CommandLine",
            dependencies: [
                "Formats", "Tensor", "Models", "Data", "Eval", "Diversity", "Services", "Train", "MPICollective", "Runs", "Study", "Report",
                argumentParser, yams,
            ]),

        // MARK: Programs
        .executableTarget(name: "train-sft", dependencies: ["CommandLine", "Study", argumentParser]),
        .executableTarget(name: "train-reward-model", dependencies: ["CommandLine", "Study", argumentParser]),
        .executableTarget(name: "train-ppo", dependencies: ["CommandLine", "Study", argumentParser]),
        .executableTarget(name: "train-preference", dependencies: ["CommandLine", "Study", argumentParser]),
        .executableTarget(name: "sample-best-of-n", dependencies: ["CommandLine", "Study", argumentParser]),
        .executableTarget(name: "calculate-diversity", dependencies: ["CommandLine", "Study", argumentParser]),
        .executableTarget(name: "rlhf-report", dependencies: ["CommandLine", "Report", argumentParser]),

        // MARK: Tests, and what they share: a test target, too, so that a build without tests leaves it out
        .testTarget(name: "_TestSupport", dependencies: ["Formats", "Tensor", "Train"]),
        .testTarget(name: "TensorTests", dependencies: ["ShortFloats", "Tensor", "_TestSupport"]),
        .testTarget(name: "FormatsTests", dependencies: ["ShortFloats", "Formats", "_TestSupport"]),
        .testTarget(name: "ModelsTests", dependencies: ["ShortFloats", "Formats", "Models", "_TestSupport"]),
        .testTarget(name: "DataTests", dependencies: ["Formats", "Data", "_TestSupport"]),
        .testTarget(name: "TextGenerationTests", dependencies: ["TextGeneration", "_TestSupport"]),
        .testTarget(name: "EvalTests", dependencies: ["Eval", "_TestSupport"]),
        .testTarget(name: "DiversityTests", dependencies: ["Diversity", "_TestSupport"]),
        .testTarget(name: "ServicesTests", dependencies: ["Eval", "Services", "Runs", "_TestSupport"]),
        .testTarget(name: "TrainTests", dependencies: ["Train", "_TestSupport"]),
        .testTarget(name: "MPICollectiveTests", dependencies: ["MPICollective", "Train"]),
        .testTarget(name: "RunsTests", dependencies: ["Runs", "_TestSupport"]),
        .testTarget(name: "StudyTests", dependencies: ["Study", "_TestSupport"]),
        .testTarget(name: "ReportTests", dependencies: ["Report", "_TestSupport"]),
        .testTarget(
            name: "BrowserTests", dependencies: ["Tensor", "Data", "Eval", "Runs", "Report", "_TestSupport"], exclude: ["check.sh"]),
        .testTarget(name: "CommandLineTests", dependencies: ["CommandLine", "_TestSupport"]),
        .testTarget(name: "FuzzTests", dependencies: ["Formats", "Models", "Data", "_TestSupport"]),
        .testTarget(
            name: "ProgramTests",
            dependencies: [
                "CommandLine", "MPICollective", "_TestSupport", "train-sft", "train-reward-model", "train-ppo", "train-preference",
                "sample-best-of-n", "calculate-diversity", "rlhf-report",
            ]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17
)

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ]
}
