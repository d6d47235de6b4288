import Models
import Testing
import Train
import _TestSupport

/// `PPOConfig.maxActiveResponses`: how many responses are sampled at the same time.
@Suite struct ActiveResponsesTests {
    private func setup(_ count: Int) throws -> GroupMethodTests.Setup {
        try GroupMethodTests.Setup(
            GroupMethodTests.config(.grpo, 2) {
                $0.maxActiveResponses = count
                $0.logSteps = 1
            })
    }

    @Test("fewer responses at the same time give the same run, and need less memory")
    func fewer() throws {
        let (all, two) = (try setup(64), try setup(2))
        #expect(two.trainer.memory().caches < all.trainer.memory().caches)
        #expect(try all.trainer.run() && two.trainer.run())
        #expect(all.log.all("mean_score").count == 2)
        expectClose(two.log.all("mean_score"), all.log.all("mean_score"), relative: 1e-6)
    }

    @Test("the memory of fewer responses is estimated too")
    func estimate() throws {
        let memory = try setup(9).trainer.memory()
        #expect(memory.fewerActive.map(\.responses) == [4, 2, 1])
        let caches = [memory.caches] + memory.fewerActive.map(\.caches)
        #expect(caches == caches.sorted(by: >) && caches[3] > 0 && caches[3] < caches[0], "\(caches)")
        #expect(try setup(1).trainer.memory().fewerActive.isEmpty)
    }

    @Test("none are refused")
    func none() { #expect(throws: TrainingError.self) { try setup(0) } }
}
