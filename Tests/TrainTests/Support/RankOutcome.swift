import Tensor
import Testing
import Train
import _TestSupport

/// What a rank has after its run.
struct RankOutcome {
    var weights: Weights
    var log: EventLog
    var complete = false
    var snapshot: TrainerSnapshot?

    /// Expects the same bits of weights, losses and metrics.
    func expectIdentical(to other: RankOutcome, sourceLocation: SourceLocation = #_sourceLocation) {
        weights.expectIdentical(to: other.weights, sourceLocation: sourceLocation)
        #expect(log.measurements == other.log.measurements && log.losses == other.log.losses, sourceLocation: sourceLocation)
    }
}

/// A value that several threads only read.
struct ReadOnly<Value>: @unchecked Sendable { let value: Value }

extension [RankOutcome] {
    /// The snapshot of rank 0. Expects that all ranks were stopped, and that it has what one process saves at a step.
    func snapshot(at step: Int, like one: RankOutcome) throws -> (found: TrainerSnapshot, one: TrainerSnapshot) {
        #expect(allSatisfy { !$0.complete })
        let (found, one) = (try #require(first?.snapshot), try #require(one.snapshot))
        #expect(Set(found.optimizer.tensors.keys) == Set(one.optimizer.tensors.keys))
        #expect(Set(found.numbers.keys) == Set(one.numbers.keys))
        #expect(found.step == step && found.tokens == one.tokens)
        return (found, one)
    }
}

extension EventLog {
    /// Expects the same metrics of the same steps, with numbers that are equal up to rounding.
    /// - Parameter label: what a failure names after the metric and its step.
    func expectMeasurements(
        closeTo other: EventLog, relative: Double, absolute: Double, label: String = "", sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(measurements.map(\.step) == other.measurements.map(\.step), sourceLocation: sourceLocation)
        for (a, b) in zip(measurements, other.measurements) {
            #expect(Set(a.values.keys) == Set(b.values.keys), sourceLocation: sourceLocation)
            for (name, value) in a.values {
                expectClose(
                    [value], [b.values[name] ?? .nan], relative: relative, absolute: absolute, label: "\(name) of step \(a.step)\(label)",
                    sourceLocation: sourceLocation)
            }
        }
    }
}
