import Data
import Eval
import Foundation
import Runs
import Study
import Testing
import Train
import _TestSupport

/// Stages on ranks that are threads of the test process.
enum RankStudy {
    /// Runs a stage on several ranks, each with its own settings and environment.
    /// - Parameters:
    ///   - folder: the run folder, as a rank sees it.
    ///   - environment: changes the environment of a rank.
    ///   - stage: makes the settings of a rank.
    /// - Returns: the error of each rank; nil where the stage ended well.
    static func errors<Whole: Stage>(
        _ ranks: Int, in folder: @escaping @Sendable (Int) -> URL,
        environment change: @escaping @Sendable (Int, inout StageEnvironment) -> Void = { _, _ in },
        _ stage: @escaping @Sendable (Int) -> Whole
    ) -> [(any Error)?] {
        ThreadCollective.results(ranks) { group in
            var environment = try TinyStudy.environment
            environment.collective = group
            change(group.rank, &environment)
            try stage(group.rank).run(in: folder(group.rank), environment)
        }.map { result in
            if case .failure(let error) = result { error } else { nil }
        }
    }

    /// Runs a stage on several ranks in one folder, and expects that all end well.
    static func run<Whole: Stage>(_ ranks: Int, in folder: URL, _ stage: @escaping @Sendable () -> Whole) {
        for error in errors(ranks, in: { _ in folder }, { _ in stage() }) { #expect(error == nil, "\(ranks) ranks") }
    }

    /// Runs a stage on two ranks in one folder. The second rank counts how often it is asked whether to stop, and does so at one call.
    static func stopped<Whole: Stage>(atCall call: Int, in folder: URL, _ stage: @escaping @Sendable () -> Whole) -> [(any Error)?] {
        errors(
            2, in: { _ in folder },
            environment: { rank, environment in
                var calls = 0
                environment.shouldStop = {
                    calls += 1
                    return rank == 1 && calls == call
                }
            }
        ) { _ in stage() }
    }

    /// Expects that all ranks were stopped after a step of a run.
    static func expectStopped(_ errors: [(any Error)?], at step: Int, in folder: URL) throws {
        for error in errors {
            let stop = try #require(error as? RunStopped)
            #expect(stop.step == step && stop.path == folder.path)
        }
    }

    struct Failure: Error, CustomStringConvertible { var description: String { "no space left" } }

    /// Expects that one rank ended with a ``Failure``, and that the others name it.
    static func expectFailure(of failed: Int, _ errors: [(any Error)?]) {
        #expect(errors.indices.contains(failed))
        for (rank, error) in errors.enumerated() {
            if rank == failed {
                #expect(error is Failure)
            } else {
                #expect(error as? CollectiveError == .rankFailed(rank: failed, message: "no space left"), "rank \(rank)")
            }
        }
    }

    /// Runs a stage on several ranks. The listener of each rank throws a ``Failure`` at some event; expects that all ranks end.
    static func expectFailingSink<Whole: Stage>(
        _ ranks: Int, in folder: URL, at fails: @escaping @Sendable (TrainingEvent) -> Bool, _ stage: @escaping @Sendable () -> Whole
    ) {
        let errors = errors(
            ranks, in: { _ in folder },
            environment: { _, environment in environment.sinks = [ClosureSink { if fails($0) { throw Failure() } }] }
        ) { _ in stage() }
        // only rank 0 has listeners
        expectFailure(of: 0, errors)
    }

    /// Runs a stage on several ranks, of which the second has a reward that fails; expects that all ranks end.
    static func expectFailingReward<Whole: Stage>(_ ranks: Int, in folder: URL, _ stage: @escaping @Sendable () -> Whole) {
        let errors = errors(
            ranks, in: { _ in folder },
            environment: { rank, environment in
                environment.reward = ClosureReward { requests in
                    if rank == 1 { throw Failure() }
                    return requests.map { Double($0.response.count) }
                }
            }
        ) { _ in stage() }
        expectFailure(of: 1, errors)
    }

    /// Runs a stage on two ranks, and expects that only the first sends events and shows something.
    /// - Parameters:
    ///   - metric: a metric that each step has.
    ///   - steps: the number of steps.
    static func expectFirstRankReports<Whole: Stage>(
        in folder: URL, _ metric: String, steps: Int, _ stage: @escaping @Sendable () -> Whole
    ) throws {
        let errors = errors(
            2, in: { _ in folder },
            environment: { rank, environment in
                environment.sinks = [ClosureSink { event in #expect(rank == 0, "\(event)") }]
                environment.show = { text in #expect(rank == 0, "\(text)") }
            }
        ) { _ in stage() }
        #expect(errors.allSatisfy { $0 == nil })
        #expect(try MetricsFile.read(inRun: folder).filter { $0.values[metric] != nil }.map(\.step) == Array(1...steps))
    }

    /// Expects that two runs have the same metrics up to rounding.
    /// - Parameters:
    ///   - losses: the relative difference of training losses.
    ///   - others: the relative and the absolute difference of other metrics.
    static func expectSameMetrics(_ first: URL, _ second: URL, losses: Double = 1e-5, others: Double = 1e-4) throws {
        let (a, b) = (try MetricsFile.read(inRun: first), try MetricsFile.read(inRun: second))
        #expect(!a.isEmpty && a.map(\.step) == b.map(\.step))
        for (a, b) in zip(a, b) {
            #expect(Set(a.values.keys) == Set(b.values.keys))
            for (name, value) in a.values {
                let label = "\(name) of step \(a.step) in \(first.lastPathComponent)"
                let other = b.values[name] ?? .nan
                if name == "loss" {
                    expectClose([value], [other], relative: losses, absolute: 0, label: label)
                } else {
                    expectClose([value], [other], relative: others, absolute: others, label: label)
                }
            }
        }
    }
}

extension TemporaryFolder {
    /// The content of a file.
    func content(of path: String) throws -> Foundation.Data { try Data(contentsOf: self[path]) }

    /// What is in a folder, which has to exist.
    func names(in path: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: self[path].path).sorted() }

    /// Expects the same content of files of two runs.
    func expectSame(
        _ files: [String], of run: String, and other: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for file in files {
            #expect(
                try content(of: "\(run)/\(file)") == content(of: "\(other)/\(file)"), "\(run): \(file)", sourceLocation: sourceLocation)
        }
    }
}
