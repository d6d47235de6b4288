import Tensor
import Testing
import _TestSupport

/// The times by operation and by thread.
@Suite struct ComputeProfileTests {
    /// Work that takes some time, so that a clock notices it.
    private static func work(_ seed: Int) -> Double { (0..<50_000).reduce(Double(seed)) { $0 * 1.000001 + Double($1) } }

    @Test func operationsAreNamedAndCounted() throws {
        let profile = ComputeProfile()
        Compute.$profile.withValue(profile) {
            for _ in 0..<3 {
                let tape = Tape()
                let x = tape.variable(OpCase.Input.normal("x", [40, 30]).tensor)
                tape.backward(from: x.rmsNormalised(weight: OpCase.Input.normal("weight", [30]).tensor, epsilon: 1e-5).sum())
            }
        }
        let calls = Dictionary(uniqueKeysWithValues: profile.report.operations.map { ($0.name, $0.calls) })
        #expect(calls["Normalisation.rmsNormalised"] == 3)
        #expect(calls["rmsNorm, backward"] == 3)
    }

    @Test func operationsWithinOthersCountSeparately() throws {
        let profile = ComputeProfile()
        var sum = 0.0
        Compute.$profile.withValue(profile) {
            Compute.timed("outer") {
                Compute.timed("inner") { sum += Self.work(1) }
                Compute.timed("inner") { sum += Self.work(2) }
            }
        }
        let report = profile.report
        #expect(sum > 0 && report.operations.map(\.calls).sorted() == [1, 2])
        let inner = try #require(report.operations.first { $0.name == "inner" })
        let outer = try #require(report.operations.first { $0.name == "outer" })
        #expect(inner.seconds > 0 && outer.seconds >= 0 && inner.calls == 2)
        // own times do not overlap
        #expect(inner.seconds + outer.seconds + report.otherSeconds <= report.seconds * 1.000001)
        #expect(abs(inner.share - inner.seconds / report.seconds) < 1e-9)
    }

    @Test func jobsAndThreads() {
        let profile = ComputeProfile()
        var sums = [Double](repeating: 0, count: 40)
        Compute.$profile.withValue(profile) {
            Compute.$threads.withValue(3) {
                for _ in 0..<5 {
                    sums.withUnsafeMutableBufferPointer { sums in
                        nonisolated(unsafe) let sums = sums
                        Compute.forEach(40) { sums[$0] += Self.work($0) }
                    }
                }
            }
        }
        let report = profile.report
        #expect(sums.allSatisfy { $0 > 0 })
        #expect(report.operations.map(\.name) == ["ComputeProfileTests.jobsAndThreads"] && report.operations[0].calls == 5)
        // other tests may hold the pool; their jobs are counted in any profile
        #expect(report.jobs >= 0 && report.jobSeconds >= 0 && report.threads.count >= 1)
        #expect(report.threads.allSatisfy { $0.busySeconds >= 0 && $0.idleSeconds >= 0 })
        if report.jobs > 0 { #expect(report.threads.contains { $0.busySeconds > 0 }) }
    }

    @Test func otherThreadsAndScopesAreNotCounted() async {
        let profile = ComputeProfile()
        _ = Compute.timed("outside") { Self.work(1) }
        await Task.detached { Compute.$profile.withValue(profile) { Compute.timed("elsewhere") {} } }.value
        #expect(profile.report.operations.allSatisfy { $0.name != "outside" })
    }
}
