import Data
import Foundation
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Memory after a thousand steps is the memory after fifty. Each test is a process of its own, where nothing else allocates.
@Suite struct LeakTests {
    @Test func aThousandStepsOfSupervisedTraining() async {
        await #expect(processExitsWith: .success) {
            let decoder = try TinyModel.llama()
            let config = configured(SFTConfig()) {
                $0.maxSteps = 1_000
                $0.batchSize = 4
                $0.tokensPerPass = 30
                $0.optimizer = AdamConfig(learningRate: 1e-3)
                $0.freezing = Freezing(fraction: 0.4)
                $0.logSteps = 10
            }
            var probe = MemoryProbe()
            try SFTTrainer(decoder, config: config, examples: ToyData.examples(64)) { event in
                if case .progressed(let step, _, _, _) = event { probe.look(step: step) }
            }.run()
            probe.judge()
        }
    }

    @Test func aThousandStepsOfPolicyTraining() async {
        await #expect(processExitsWith: .success) {
            let (policy, head) = (try TinyModel.llama(), TinyModel.head())
            let config = configured(PPOConfig()) {
                $0.totalSteps = 1_000
                $0.rolloutBatchSize = 4
                $0.learnBatchSize = 4
                $0.epochs = 1
                $0.sampling = SamplingOptions(maxNewTokens: 4)
                $0.optimizer = AdamConfig(learningRate: 1e-4)
                $0.freezing = Freezing(fraction: 0.67)
                $0.logSteps = 10
            }
            var probe = MemoryProbe()
            try PPOTrainer(
                policy: policy, valueHead: head, reference: policy.copy(), config: config, prompts: ToyData.prompts(64),
                rewardFunction: TokenShare(token: 7), tokenizer: NumberTokenizer(), endOfSequence: 2
            ) { event in
                if case .progressed(let step, _, _, _) = event { probe.look(step: step) }
            }.run()
            probe.judge()
        }
    }
}

/// What a process holds after fifty steps and after a thousand.
private struct MemoryProbe {
    private var early = (used: 0, resident: 0)
    private var late = (used: 0, resident: 0)

    mutating func look(step: Int) {
        if step == 50 { early = Self.now }
        if step == 1_000 { late = Self.now }
    }

    /// Stops the process when it has grown. Tensors are counted to the byte; of the resident memory, the first steps of the language's
    /// and the system's own buffers may take a little.
    func judge() {
        precondition(early.used > 0 && late.used == early.used, "tensors: \(early.used) bytes, later \(late.used)")
        let allowed = early.resident + (2 << 20)
        precondition(late.resident <= allowed, "resident: \(early.resident) bytes, later \(late.resident)")
    }

    private static var now: (used: Int, resident: Int) {
        // the second number of statm is the resident pages; other systems have no such file, and their tensors are still counted
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        let pages = fields.count > 1 ? Int(fields[1]) ?? 0 : 0
        return (Allocator.shared.bytesInUse, pages * Int(sysconf(Int32(_SC_PAGESIZE))))
    }
}
