import Diversity
import Eval
import Foundation
import Testing
import _TestSupport

/// A metric that reports the mean index of the set, so that sets can be seen through it.
private struct MeanIndex: DiversityMetric {
    let name = "mean_index"
    let higherIsMoreDiverse = true
    func value(of set: [Int], in collection: TextCollection) -> Double? {
        set.count < 2 ? nil : Double(set.reduce(0, +)) / Double(set.count)
    }
}

private struct Failing: DiversityMetric {
    struct Reason: Error, CustomStringConvertible { let description = "no weights" }
    let name = "failing"
    let higherIsMoreDiverse = true
    var notANumber = false
    var reason: any Error = Reason()
    func value(of set: [Int], in collection: TextCollection) throws -> Double? {
        if notANumber { return .nan }
        throw reason
    }
}

@Suite struct AggregationTests {
    private let outputs = [["a b", "a c", "d"], ["x y z", "x y"], ["only"], []]

    private func plan(_ options: DiversityPlan.Options = .init(), seed: UInt64 = 1) throws -> DiversityPlan {
        var random = Draws(seed: seed)
        return try DiversityPlan(counts: outputs.map(\.count), options: options, using: &random)
    }

    @Test func planNumbersTextsThrough() throws {
        let plan = try plan()
        #expect(plan.perInput == [[0, 1, 2], [3, 4], [5]])
        #expect(plan.firstOutputs == [0, 3, 5])
        #expect(plan.overall == Array(0..<6))
        #expect(plan.acrossInputs.count == 16)
        #expect(plan.acrossInputs.allSatisfy { (0...2).contains($0[0]) && (3...4).contains($0[1]) && $0[2] == 5 })
        #expect(Set(plan.acrossInputs.map { $0[0] }) == [0, 1, 2])
        #expect(plan.leaveOut.count == 3)
        for group in plan.leaveOut {
            #expect(group.set.count == 2 && Set(group.set).isSubset(of: plan.acrossInputs[group.draw]))
        }
        #expect(try self.plan() == plan)
        #expect(try self.plan(seed: 2) != plan)
    }

    @Test func partsCanBeSwitchedOffWithoutChangingTheOthers() throws {
        let full = try plan()
        var options = DiversityPlan.Options()
        options.perInput = false
        options.overallSample = 4
        let part = try plan(options)
        #expect(part.perInput.isEmpty && part.acrossInputs == full.acrossInputs && part.leaveOut == full.leaveOut)
        #expect(Set(part.overall).count == 4)
        options.overallSample = 500
        #expect(try plan(options).overall.count == 6)
        options.acrossInputs = false
        options.overall = false
        let none = try plan(options)
        #expect(none.acrossInputs.isEmpty && none.leaveOut.isEmpty && none.overall.isEmpty)
        #expect(none.firstOutputs == full.firstOutputs)
    }

    @Test func aggregatesMeanOverInputsAndDraws() throws {
        let plan = try plan()
        var random = Draws(seed: 3)
        let collection = TextCollection(outputs.flatMap { $0 })
        let result = try Aggregation.measure(MeanIndex(), over: plan, in: collection, using: &random)
        let perInput = try #require(result.perInput)
        #expect(perInput.values == [1, 3.5, nil] && perInput.excluded == 1)
        #expect(perInput.mean.mean == 2.25 && perInput.standardDeviation == 1.25)
        #expect(result.overall == 2.5)
        #expect(isClose(try #require(result.overallSingleOutput), 8.0 / 3))
        let across = try #require(result.acrossInputs)
        let expected = plan.acrossInputs.map { Double($0.reduce(0, +)) / 3 }
        #expect(isClose(across.mean, expected.reduce(0, +) / 16))
        let interval = try #require(across.interval)
        #expect(interval.low < across.mean && across.mean < interval.high && across.draws == 16)
    }

    @Test func setsWithoutAValueAreAbsent() throws {
        var random = Draws(seed: 3)
        let single = try DiversityPlan(counts: [1], using: &random)
        let result = try Aggregation.measure(
            DistinctNGramsMetric(), over: single, in: TextCollection(["a b"]), using: &random)
        var expected = DiversityAggregate()
        expected.withoutPerInput = 1
        #expect(result == expected)
        let text = String(decoding: try JSONEncoder().encode(result), as: UTF8.self)
        #expect(text == #"{"withoutPerInput":1}"#)
    }

    @Test func failuresAreNotSwallowed() throws {
        let plan = try plan()
        let collection = TextCollection(outputs.flatMap { $0 })
        var random = Draws(seed: 3)
        #expect(throws: DiversityError.metricFailed(name: "failing", reason: "no weights")) {
            try Aggregation.measure(Failing(), over: plan, in: collection, using: &random)
        }
        #expect(throws: DiversityError.metricFailed(name: "failing", reason: "the value of a set of 3 texts is nan")) {
            try Aggregation.measure(Failing(notANumber: true), over: plan, in: collection, using: &random)
        }
        #expect(throws: DiversityError.noOutputs) { try DiversityPlan(counts: [0, 0], using: &random) }
    }

    @Test("what an embedding service says stays its own error, so that its exit status is not that of bad data")
    func servicesFailAsThemselves() throws {
        let collection = TextCollection(outputs.flatMap { $0 })
        var random = Draws(seed: 3)
        struct Unreachable: TextEncoderFailure, Equatable { var reason: String }
        for failure in [Unreachable(reason: "no answer"), Unreachable(reason: "no key")] {
            let plan = try plan()
            #expect(throws: failure) {
                try Aggregation.measure(Failing(reason: failure), over: plan, in: collection, using: &random)
            }
        }
    }

    @Test func sharedIndexGivesWhatDirectCallsGive() throws {
        let texts = outputs.flatMap { $0 }
        let collection = TextCollection(texts)
        for set in [[0, 1, 2], [3, 4], [0, 0, 4]] {
            let direct = set.map { texts[$0] }
            #expect(
                DistinctNGramsMetric().value(of: set, in: collection) == DistinctNGrams.averaged(of: direct))
            #expect(
                ExpectationAdjustedMetric(orders: 2...2).value(of: set, in: collection)
                    == ExpectationAdjusted.value(of: direct, order: 2))
            #expect(
                NGramCosineMetric(order: 1).value(of: set, in: collection)
                    == NGramCosine.diversity(of: direct, order: 1))
        }
    }

    /// The jackknife's standard error of a mean is the usual one, and the quantile is Student's.
    @Test func jackknifeOfAMeanIsTheStandardError() throws {
        let values = [3.0, 1, 4, 1, 5, 9, 2, 6]
        let mean = values.reduce(0, +) / 8
        let changes = values.indices.map { out in
            (values.reduce(0, +) - values[out]) / 7 - mean
        }
        let interval = try #require(Aggregation.jackknifeInterval(around: mean, changes: changes))
        let error = try #require(Statistics.sampleStandardDeviation(of: values)) / 8.0.squareRoot()
        #expect(isClose((interval.high - mean) / error, 2.364624, 1e-3))
        #expect(Aggregation.jackknifeInterval(around: 1, changes: [0.5]) == nil)
        for (freedom, expected) in try SetFixture.load().statistics.student {
            let v = try #require(Double(freedom))
            #expect(isClose(Aggregation.studentQuantile(degreesOfFreedom: v), expected, 1e-3))
        }
    }

    @Test func bestOfNFollowsOrderStatistics() throws {
        let expected = try SetFixture.load().bestOfN
        let curve = try BestOfNSimulation.curve(rewards: expected.rewards)
        #expect(curve.count == expected.curve.count)
        for (a, e) in zip(curve, expected.curve) { #expect(isClose(a, e)) }
        for n in 1...5 {
            let p = try BestOfNSimulation.selectionProbabilities(rewards: [0.1, 3, 3, -1, 0.1], n: n)
            #expect(isClose(p.reduce(0, +), 1))
            #expect(p[1] == p[2] && p[0] == p[4])
        }
        #expect(try BestOfNSimulation.selectionProbabilities(rewards: [2, 1, 3], n: 3) == [0, 0, 1])
        #expect(try BestOfNSimulation.expectation(of: [10, 20, 30], rewards: [2, 1, 3], n: 1) == 20)
        #expect(throws: DiversityError.cannotDraw(n: 3, of: 2)) {
            try BestOfNSimulation.expectation(of: [1, 2], rewards: [1, 2], n: 3)
        }
        #expect(throws: DiversityError.rewardNotFinite(index: 1)) {
            try BestOfNSimulation.selectionProbabilities(rewards: [1, .nan], n: 1)
        }
        #expect(isClose(BestOfNSimulation.divergence(n: 16), log(16) - 15.0 / 16))
    }

    @Test func simulatedDrawsFollowTheSelectionProbabilities() throws {
        let rewards = [0.3, 2, 0.3, 1, 2]
        var random = Draws(seed: 77)
        let draws = try BestOfNSimulation.draws(rewards: rewards, n: 2, count: 40000, using: &random)
        let expected = try BestOfNSimulation.selectionProbabilities(rewards: rewards, n: 2)
        for i in rewards.indices {
            #expect(abs(Double(draws.filter { $0 == i }.count) / 40000 - expected[i]) < 0.01)
        }
        var options = DiversityPlan.Options()
        options.simulatedBestOfN = 2
        options.simulatedOutputs = 5
        let plan = try DiversityPlan(counts: [2, 3], rewards: [[1, 0], [0, 5, 1]], options: options, using: &random)
        #expect(plan.perInput[0] == [0, 0, 0, 0, 0])
        #expect(plan.perInput[1].count == 5 && plan.perInput[1].allSatisfy { $0 == 3 || $0 == 4 })
        #expect(throws: DiversityError.rewardsMissing(input: 1)) {
            try DiversityPlan(counts: [2, 3], rewards: [[1, 0], [1]], options: options, using: &random)
        }
    }
}
