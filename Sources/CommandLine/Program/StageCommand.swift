internal import Data
internal import Diversity
internal import Formats
internal import Foundation
public import Report
import Runs
internal import Services
public import Study

/// A program that runs a stage in the folder given by `--output-dir` and `--run-id`.
///
/// It reports progress on the terminal. Signals stop it at a checkpoint; see ``Signals``.
public protocol StageCommand: SettingsCommand where Whole: Stage {}

extension StageCommand {
    /// As the stage says.
    public static var usesRanks: Bool { Whole.usesRanks }

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
    /// As the task says.
    public static var usesRanks: Bool { Whole.usesRanks }

    public mutating func run() throws {
        try settings.run(.commandLine())
    }
}

extension ReportListener {
    /// The listener of the programs, which connects reports to the terminal.
    public static func commandLine() -> ReportListener {
        let console = Console()
        var listener = ReportListener()
        listener.note = { console.say($0) }
        listener.show = { print($0) }
        listener.sinks = [console]
        listener.write = { StandardOutput.write($0) }
        listener.checkOutput = { try StandardOutput.check() }
        listener.readLine = { Swift.readLine() }
        listener.isInteractive = isatty(STDIN_FILENO) == 1
        listener.judgeService = { try judge($0) }
        listener.collective = LaunchedRanks.collective
        return listener
    }

    /// Creates the client of a judge service.
    /// - Throws: `InvalidSetting` if the service needs a key and the environment variable is not set, and errors for invalid
    ///   addresses and keys.
    private static func judge(_ request: JudgeServiceRequest) throws -> ChatJudge {
        let settings = request.settings
        var options = ChatJudge.Options()
        options.concurrency = settings.judgeConcurrency
        options.timeout = settings.judgeTimeout
        options.attempts = settings.judgeAttempts
        options.prices = request.prices
        options.progress = { done, all in
            // often enough to show progress, but with few lines in logs
            if done % max(all / 10, 20) == 0 || done == all { Console().say("\(done) of \(Counted(all, "question")) asked") }
        }
        let key = try ServiceKey(variable: settings.judgeKeyVariable, environment: ProcessInfo.processInfo.environment)
        // the message omits the value: it could be the key itself, given by mistake
        guard key != nil || !request.needsKey else {
            throw InvalidSetting("--judge-key-variable names an environment variable that is not set or is empty")
        }
        return ChatJudge(
            address: try ServiceAddress(request.url, for: .chat), key: key, variable: settings.judgeKeyVariable, chat: request.chat,
            cache: request.cache, options: options)
    }
}

extension StageEnvironment {
    /// The environment of the programs, which connects stages to the terminal, the signals of the process and remote services.
    public static func commandLine() -> StageEnvironment {
        var environment = StageEnvironment()
        environment.sinks = [Console()]
        environment.shouldStop = { Signals.isStopRequested }
        environment.takeCheckpointRequest = { Signals.takeCheckpointRequest() }
        environment.waitsForStep = { Signals.waitsForStep = $0 }
        environment.show = { print($0) }
        environment.collective = LaunchedRanks.collective
        environment.ranksOnMachine = LaunchedRanks.countOnMachine
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
        environment.mlflow = { request in
            let settings = request.settings
            let address: ServiceAddress
            do {
                address = try ServiceAddress(settings.mlflowUri ?? "", for: .tracking)
            } catch let problem as ServiceAddress.Problem {
                throw InvalidSetting("--mlflow-uri \(problem)")
            }
            return MLflowTracker(
                address: address,
                key: try ServiceKey(variable: settings.mlflowTokenVariable, environment: ProcessInfo.processInfo.environment),
                experiment: settings.mlflowExperiment, run: request.run, options: request.configuration.options)
        }
        return environment
    }
}
