import Formats
import Models
import Study
import Tensor
import Testing
import Train

/// Packed copies of weights that a run in bf16 precision gives up if it does not fit with them.
@Suite struct MemoryPackingTests {
    private let weights: WeightMemory
    private let shapes: [Shape]

    init() throws {
        let settings = LlamaConfiguration(
            vocabularySize: 2048, hiddenSize: 256, intermediateSize: 512, layerCount: 8, heads: 4, contextLength: 64)
        let model = try Llama(settings, weights: RandomWeights(generator: Philox(seed: 1)))
        Freezing(fraction: 0.5).apply(to: model)
        weights = WeightMemory(of: [model])
        shapes = model.parameters.filter(\.isTrainable).map(\.value.shape)
    }

    /// A run whose passes are small beside the weights, with copies of some weights.
    private func plan(_ packing: PackedCopies = .all, precision: Compute.Precision = .bf16) -> MemoryPlan {
        let bytes = weights.bytes(.f32, precision, packing: packing)
        var training = TrainingMemory()
        (training.weights, training.packed, training.trained) = (bytes.allocated, bytes.packed, shapes)
        training.optimizer = training.moments(of: .adamw)
        training.gradients = training.gradientBytes(as: .f32, freed: false)
        training.training = PassMemory(small: (100, 1 << 20), large: (300, 1 << 20))
        training.trainingTokens = 300
        var choices = MemoryChoices(optimizer: .adamw, precision: precision)
        choices.packing = packing
        return MemoryPlan(program: 1 << 20, training: training, loaded: 0, longest: 256, weights: weights, choices: choices)
    }

    @Test("as few copies as possible are given up: those of trained weights first")
    func levels() {
        let peaks = PackedCopies.allCases.map { plan($0).peak }
        #expect(peaks[0] > peaks[1] && peaks[1] > peaks[2])
        for (room, packing) in [
            (peaks[0], PackedCopies.all), (peaks[0] - 1, .frozen), (peaks[1], .frozen), (peaks[1] - 1, .none), (peaks[2], .none),
            (peaks[2] - 1, .none),
        ] {
            let fitting = plan().givingUpCopies(fitting: room)
            #expect(fitting.choices.packing == packing && fitting.peak == plan(packing).peak, "\(room)")
            #expect(fitting.training.packed == plan(packing).training.packed, "\(room)")
            #expect(fitting.description.contains("packed weights") == (packing != .none), "\(fitting.description)")
        }
    }

    @Test("a run says which copies it does without, and what that saves")
    func notes() {
        let peaks = PackedCopies.allCases.map { plan($0).peak }
        #expect(plan().givingUpCopies(fitting: peaks[0]).packingNote == nil)
        let end = " saved; products take somewhat longer, and results stay the same"
        #expect(
            plan().givingUpCopies(fitting: peaks[1]).packingNote
                == "packed copies of trained weights are not kept: \(ByteCount(bytes: peaks[0] - peaks[1]))" + end)
        #expect(
            plan().givingUpCopies(fitting: peaks[2]).packingNote
                == "packed copies of weights are not kept: \(ByteCount(bytes: peaks[0] - peaks[2]))" + end)
    }

    @Test("what is given up before the passes are measured stays given up")
    func decidedBefore() {
        let peaks = PackedCopies.allCases.map { plan($0).peak }
        let early = plan(.frozen).givingUpCopies(fitting: peaks[0])
        #expect(early.choices.packing == .frozen && early.peak == peaks[1])
        #expect(early.packingNote == plan().givingUpCopies(fitting: peaks[1]).packingNote)
        #expect(plan(.frozen).givingUpCopies(fitting: peaks[2]).peak == peaks[2])
    }

    @Test("copies that exist already count as weights, which become fewer")
    func existing() {
        var made = plan()
        (made.training.weights, made.training.packed) = (made.training.weights + made.training.packed, 0)
        let fitting = made.givingUpCopies(fitting: plan(.none).peak)
        #expect(fitting.training.packed == 0 && fitting.training.weights == plan(.none).training.weights)
        #expect(fitting.peak == plan(.none).peak)
    }

    @Test("a run in f32 has no copies to give up, and one that does not fit without copies is not sent to f32")
    func advice() {
        let floats = plan(precision: .f32).givingUpCopies(fitting: 0)
        #expect(floats.choices.packing == .all && floats.packingNote == nil)
        let room = plan(.none).peak - 1
        let advice = plan().givingUpCopies(fitting: room).settings(fitting: room, otherwise: "less")
        #expect(advice.contains(" would fit (") && !advice.contains("--dtype f32"), "\(advice)")
    }

    @Test("a model from scratch is not refused because of copies that the run can do without")
    func fromScratch() throws {
        let settings = LlamaConfiguration(
            vocabularySize: 32_000, hiddenSize: 4096, intermediateSize: 11_008, layerCount: 32, heads: 32, contextLength: 64)
        func memory(_ precision: Compute.Precision) -> FreshModelMemory {
            FreshModelMemory(settings, trainedBy: .adamw, precision: precision)
        }
        #expect(memory(.bf16).bytes > 1.2 * memory(.f32).bytes)
        let needed = try Compute.Precision.allCases.map { precision in
            try #require(#expect(throws: MemoryError.self) { try memory(precision).check(limit: "1MB") }).needed
        }
        // the rest is the memory of this process
        #expect(abs(Double(needed[0]) / Double(needed[1]) - 1) < 0.05, "\(needed)")
    }
}
