import Data
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
