import Foundation
import Models
import Study
import Tensor
import Testing
import Train
import _TestSupport

/// The models of a run: which weights they share, and which are held in a narrow format.
@Suite struct RunModelsTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        let settings = LlamaConfiguration(
            vocabularySize: 40, hiddenSize: 32, intermediateSize: 48, layerCount: 4, heads: 2, contextLength: 64)
        let model = try Llama(settings, weights: RandomWeights(generator: Philox(seed: 1)))
        try LanguageModel(decoder: model).save(to: folder["model"])
    }

    private func model() throws -> any TransformerDecoder { try LanguageModel.load(folder["model"]).decoder }

    @Test("where nothing is trained, equal weights are held once")
    func sharing() throws {
        let (policy, reference, judge) = (try model(), try model(), try model())
        // the last layer of the reward model is another one
        judge.parameters(ofLayer: 3)[0].value.update { $0[0] += 1 }
        var notes: [String] = []
        let models = RunModels(model: policy, reference: reference, judges: [judge])
        let apart = models.memory.bytes(.f32, .f32).total
        models.freezeAndShare { notes.append($0) }
        #expect(models.memory.bytes(.f32, .f32).total < apart / 2)
        for layer in 0..<4 {
            let own = policy.parameters(ofLayer: layer)
            for (other, layers) in [(reference, 4), (judge, 3)] where layer < layers {
                for (a, b) in zip(own, other.parameters(ofLayer: layer)) {
                    #expect(a.value.sharesMemory(with: b.value) && !a.isTrainable && !b.isTrainable, "\(a.name)")
                }
            }
        }
        #expect(!policy.parameters(ofLayer: 3)[0].value.sharesMemory(with: judge.parameters(ofLayer: 3)[0].value))
        #expect(notes.count == 2 && notes[0].hasPrefix("the reference model shares 4 layers with the policy"))
        #expect(notes.last?.hasPrefix("the reward model shares 3 layers with the policy") == true)
        // a reference that is the policy itself shares nothing with itself
        notes = []
        RunModels(model: policy, reference: policy).freezeAndShare { notes.append($0) }
        #expect(notes.isEmpty)
    }

    @Test("trained weights that are kept in bfloat16 are those of the reference, too")
    func masters() throws {
        let policy = try model()
        Freezing(fraction: 0.5).apply(to: policy)
        let reference = policy.copy()
        reference.parameters.forEach { $0.isTrainable = false }
        let models = RunModels(model: policy, reference: reference)
        var settings = RunSettings()
        (settings.masterDtype, settings.frozenDtype) = ("bf16", "int8")
        var notes: [String] = []
        try models.hold(settings) { notes.append($0) }
        #expect(notes.count == 2 && notes[0].hasPrefix("trained weights are kept as bf16 and rounded at random: "), "\(notes)")
        #expect(notes.last?.hasPrefix("frozen weights are held as int8: ") == true)
        for (own, other) in zip(policy.parameters, reference.parameters) {
            let isMatrix = own.value.shape.rank == 2
            #expect(own.value.isIdentical(to: other.value), "\(own.name)")
            #expect(own.value.storage.format == (isMatrix ? own.isTrainable ? .bf16 : .q8 : .f32), "\(own.name)")
            #expect((own.masterFormat == .bf16) == (own.isTrainable && isMatrix) && other.masterFormat == .f32, "\(own.name)")
            if isMatrix, own.isTrainable { #expect(!own.value.sharesMemory(with: other.value), "\(own.name)") }
        }
        try models.hold(masters: .f32) { notes.append($0) }
        #expect(notes.count == 2)
    }

    /// GPT-2's matrices lie transposed in files, so checkpoints hold the rounded numbers and not those of the model that the run began with.
    @Test("a policy from a checkpoint shares the rounded weights of its reference again")
    func resumed() throws {
        let settings = GPT2Configuration(vocabularySize: 40, hiddenSize: 32, layerCount: 2, heads: 2, contextLength: 64)
        try LanguageModel(decoder: GPT2(settings, weights: RandomWeights(generator: Philox(seed: 1)))).save(to: folder["gpt2"])
        func models(from path: String) throws -> RunModels {
            let policy = try LanguageModel.load(folder[path]).decoder
            Freezing(fraction: 0.5).apply(to: policy)
            let reference = try LanguageModel.load(folder["gpt2"]).decoder
            reference.parameters.forEach { $0.isTrainable = false }
            _ = Trunk.share(policy, with: reference, atMost: policy.frozenTrunk)
            return RunModels(model: policy, reference: reference)
        }
        let first = try models(from: "gpt2")
        try first.hold(as: .int8) { _ in }
        try LanguageModel(decoder: first.model).save(to: folder["checkpoint"], keepingFrozen: true)
        let resumed = try models(from: "checkpoint")
        let pairs = zip(resumed.model.parameters(ofLayer: 0), try #require(resumed.reference).parameters(ofLayer: 0))
        #expect(pairs.contains { !$0.value.isIdentical(to: $1.value) })
        try resumed.hold(as: .int8) { _ in }
        for (own, other) in pairs { #expect(own.value.sharesMemory(with: other.value), "\(own.name)") }
        #expect(pairs.contains { own, _ in own.value.storage.format == .q8 })
    }

    @Test("the reference's copies of trained weights are not rounded; all others are, once", arguments: [FrozenFormat.bf16, .int8])
    func holding(format: FrozenFormat) throws {
        let policy = try model()
        Freezing(fraction: 0.5).apply(to: policy)
        let reference = policy.copy()
        reference.parameters.forEach { $0.isTrainable = false }
        let before = Dictionary(uniqueKeysWithValues: reference.parameters.map { ($0.name, $0.value) })
        let judge = try model()
        judge.parameters.forEach { $0.isTrainable = false }
        _ = Trunk.share(policy, with: judge, atMost: policy.frozenTrunk)
        let models = RunModels(model: policy, reference: reference, judges: [judge])
        let expected = models.memory.bytes(format, .f32)
        var notes: [String] = []
        try models.hold(as: format) { notes.append($0) }
        #expect(models.memory.bytes(.f32, .f32) == expected)
        let narrow: NumberFormat = format == .int8 ? .q8 : .bf16
        for (own, other) in zip(policy.parameters, reference.parameters) {
            #expect(!other.isTrainable)
            if own.isTrainable || own.value.shape.rank != 2 {
                // equal to the policy's before the first step, so their KL is 0
                #expect(other.value.storage.format == .f32 && before[own.name]?.isIdentical(to: other.value) == true, "\(own.name)")
            } else {
                #expect(other.value.storage.format == narrow && own.value.sharesMemory(with: other.value), "\(own.name)")
            }
        }
        for layer in 0..<4 {
            for (own, other) in zip(policy.parameters(ofLayer: layer), judge.parameters(ofLayer: layer)) where own.value.shape.rank == 2 {
                #expect(other.value.storage.format == narrow && own.value.sharesMemory(with: other.value) == (layer < 2), "\(own.name)")
            }
        }
        #expect(notes.count == 1 && notes[0].hasPrefix("frozen weights are held as \(format.rawValue): "))
        #expect(notes[0].hasSuffix("saved"))
        // weights that already are that narrow
        try models.hold(as: format) { notes.append($0) }
        #expect(notes.count == 2 && notes[1].hasPrefix("--frozen-dtype \(format.rawValue) saves no memory"))
        // as stored: nothing to do and nothing to say
        try models.hold(as: .f32) { notes.append($0) }
        #expect(notes.count == 2)
    }
}
