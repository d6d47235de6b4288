import Testing
import Train
import _TestSupport

/// Numbers of Transformers' get_…_schedule_with_warmup.
@Suite struct ScheduleTests {
    @Test(
        "three warm-up steps of ten",
        arguments: [
            (Schedule.Kind.cosine, [0.950484434, 0.811744901, 0.611260467, 0.388739533, 0.188255099, 0.049515566, 0]),
            (.linear, [0.857142857, 0.714285714, 0.571428571, 0.428571429, 0.285714286, 0.142857143, 0]),
            (.constant, [1, 1, 1, 1, 1, 1, 1]),
        ])
    func warmUp(kind: Schedule.Kind, rest: [Double]) {
        let schedule = Schedule(kind, warmupSteps: 3)
        expectClose(
            (0...10).map { schedule.factor(step: $0, total: 10) }, [0, 1.0 / 3, 2.0 / 3, 1] + rest, relative: 0, absolute: 1e-8)
    }

    @Test("a share of the steps, rounded up; a number of steps wins over it")
    func share() {
        for step in 0...10 {
            let three = Schedule(.cosine, warmupSteps: 3).factor(step: step, total: 10)
            #expect(Schedule(.cosine, warmupShare: 0.21).factor(step: step, total: 10) == three)
            #expect(Schedule(.cosine, warmupSteps: 3, warmupShare: 0.9).factor(step: step, total: 10) == three)
        }
    }

    @Test("a rise that lies in no run is refused by every stage")
    func impossible() {
        for schedule in [
            Schedule(warmupSteps: -1), Schedule(warmupShare: -0.1), Schedule(warmupShare: 1e300), Schedule(warmupShare: .nan),
        ] {
            #expect(throws: TrainingError.self) { try configured(SFTConfig()) { $0.schedule = schedule }.validate() }
            #expect(throws: TrainingError.self) { try configured(RewardConfig()) { $0.schedule = schedule }.validate() }
            #expect(throws: TrainingError.self) { try configured(PPOConfig()) { $0.schedule = schedule }.validate() }
        }
    }

    @Test func withoutWarmUp() {
        #expect(Schedule() == Schedule(.cosine, warmupSteps: 0))
        expectClose(
            (0...4).map { Schedule().factor(step: $0, total: 4) }, [1, 0.853553391, 0.5, 0.146446609, 0], relative: 0,
            absolute: 1e-8)
        expectClose(
            (0...4).map { Schedule(.linear).factor(step: $0, total: 4) }, [1, 0.75, 0.5, 0.25, 0], relative: 0, absolute: 1e-12)
    }

    @Test("steps beyond the end stay at 0, warm-up longer than the run is no mistake")
    func edges() {
        #expect(Schedule(.linear).factor(step: 9, total: 4) == 0)
        #expect(Schedule(.linear, warmupSteps: 8).factor(step: 3, total: 4) == 0.375)
    }
}
