internal import Data
internal import Diversity
internal import Foundation
public import Report
public import Runs
internal import Services
public import Study

/// A program that runs a stage: in the folder that `--output-dir` and `--run-id` name, with progress on the terminal and signals that stop
/// it at a checkpoint.
public protocol StageCommand: SettingsCommand where Whole: Stage {}

extension StageCommand {
    public mutating func run() throws { try runStage() }

    /// Runs the stage that the options describe.
    public func runStage() throws {
        let stage = try settings
        let folder = URL(fileURLWithPath: stage.run.outputDir, isDirectory: true)
            .appendingPathComponent(stage.run.runId ?? Whole.kind.rawValue, isDirectory: true)
        try stage.run(in: folder, .commandLine())
    }
}

/// A program that writes a report.
public protocol ReportCommand: SettingsCommand where Whole: ReportTask {}

extension ReportCommand {
    public static var programName: String { "rlhf-report \(_commandName)" }

    public mutating func run() throws {
        try settings.run(.commandLine())
    }
}

extension ReportListener {
    /// What the programs give to reports: the terminal.
    public static func commandLine() -> ReportListener {
        let console = Console()
        var listener = ReportListener()
        listener.note = { console.say($0) }
        listener.show = { print($0) }
        listener.sinks = [console]
        return listener
    }
}

extension StageEnvironment {
    /// What the programs give to stages: the terminal, the signals of the process, and services on other machines.
    public static func commandLine() -> StageEnvironment {
        var environment = StageEnvironment()
        environment.sinks = [Console()]
        environment.shouldStop = { Signals.isStopRequested }
        environment.takeCheckpointRequest = { Signals.takeCheckpointRequest() }
        environment.waitsForStep = { Signals.waitsForStep = $0 }
        environment.show = { print($0) }
        environment.embeddingService = { settings in
            var service = EmbeddingService.Options()
            service.batchSize = settings.embeddingServiceBatchSize
            service.timeout = settings.embeddingServiceTimeout
            service.attempts = settings.embeddingServiceAttempts
            return EmbeddingService(
                address: try ServiceAddress(settings.embeddingServiceUrl ?? ""), model: settings.embeddingServiceModel,
                key: try ServiceKey(variable: EmbeddingService.keyVariable, environment: ProcessInfo.processInfo.environment),
                options: service)
        }
        return environment
    }
}
