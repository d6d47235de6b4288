import Foundation
import Study
import Testing

/// The space that a run needs on its disk.
@Suite struct DiskPlanTests {
    private let folder = URL(fileURLWithPath: "/runs/sft")

    private var plan: DiskPlan {
        var plan = DiskPlan(checkpoint: 30_000_000_000, result: 13_000_000_000)
        plan.limit = 2
        return plan
    }

    @Test func oneCheckpointMoreThanTheLimitExistsForATime() throws {
        var plan = plan
        #expect(plan.most == 90_000_000_000)
        plan.existing = 1
        #expect(plan.most == 60_000_000_000)
        plan.existing = 2
        #expect(plan.most == 30_000_000_000)
        // the result comes beside the checkpoints
        plan.result = 40_000_000_000
        #expect(plan.most == 40_000_000_000)
        plan.existing = 0
        #expect(plan.most == 100_000_000_000)
        plan.limit = nil
        #expect(plan.most == 70_000_000_000)
        plan.writesCheckpoints = false
        #expect(plan.most == 40_000_000_000)
        #expect(plan.least == 40_000_000_000)
        plan.best = 5_000_000_000
        #expect(plan.most == 50_000_000_000)
    }

    @Test func theFilesOfAResumedCheckpointStayUntilTheEnd() {
        var plan = plan
        (plan.limit, plan.existing) = (1, 1)
        #expect(plan.most == 30_000_000_000)
        plan.isResumed = true
        #expect(plan.most == 60_000_000_000)
        plan.existing = 2
        #expect(plan.most == 30_000_000_000)
    }

    @Test func warnsBeforeTheDiskIsFull() throws {
        #expect(try plan.check(free: 90_000_000_000, at: folder) == nil)
        let warning = try #require(try plan.check(free: 40_000_000_000, at: folder))
        #expect(
            warning
                == "the disk may become full: 40.0 GB is free at /runs/sft, and the run needs up to 90.0 GB "
                + "(30.0 GB per checkpoint, 13.0 GB for the result); free some space, keep fewer checkpoints (--checkpoint-limit), "
                + "or choose another disk (--output-dir)")
    }

    @Test func refusesADiskWithoutRoomForOneCheckpoint() throws {
        let error = DiskError(path: "/runs/sft", needed: 30_000_000_000, free: 29_999_999_999)
        #expect(throws: error) { try plan.check(free: error.free, at: folder) }
        #expect(error.description.contains("needs 30.000000000 GB") && error.description.contains("only 29.999999999 GB is free"))
        #expect(error.description.contains("--checkpoint-limit"))
        #expect(error.description.contains("--output-dir"))
    }
}
