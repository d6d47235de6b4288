import Formats
import Foundation
import Models
import Tensor
import Testing
import Train
import _TestSupport

/// AdamW with moments in 8 bits in optimisers and trainers, and its files.
@Suite struct EightBitOptimizerTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static func config(_ kind: OptimizerKind = .adamw8bit, _ rate: Double = 3e-3, clipNorm: Double? = 1) -> AdamConfig {
        configured(AdamConfig(learningRate: rate, clipNorm: clipNorm)) { $0.kind = kind }
    }

    private static func normal(_ count: Int, seed: UInt64, deviation: Float = 1) -> Tensor {
        var generator = Philox(seed: seed)
        return .normal([count], standardDeviation: deviation, using: &generator)
    }

    private static func add(_ gradient: Tensor, to parameter: Parameter) {
        let tape = Tape()
        tape.backward(from: (parameter.on(tape) * gradient).sum())
    }

    // MARK: Steps

    @Test("parameters have moments in 8 bits from 4096 numbers on")
    func sizes() throws {
        func run(_ kind: OptimizerKind) throws -> Adam {
            let adam = Adam([1, 4095, 4096, 5000].map { Parameter("p\($0)", Self.normal($0, seed: 1)) }, config: Self.config(kind))
            for seed: UInt64 in 2...4 {
                for parameter in adam.parameters { Self.add(Self.normal(parameter.value.count, seed: seed), to: parameter) }
                try adam.step(learningRate: 0.01)
            }
            return adam
        }
        let (exact, coded) = (try run(.adamw), try run(.adamw8bit))
        #expect(Set(coded.state.tensors.keys) == ["first.p1", "second.p1", "first.p4095", "second.p4095"])
        #expect(Set(coded.state.codes.keys) == ["first.p4096", "second.p4096", "first.p5000", "second.p5000"])
        #expect(exact.state.codes.isEmpty && exact.state.tensors.count == 8)
        // what is small has the same bits; what is large is rounded
        for (a, b) in zip(exact.parameters, coded.parameters) {
            #expect(a.value.isIdentical(to: b.value) == (a.value.count < 4096), "\(a.name)")
            let differences = zip(a.value.values, b.value.values).map { abs(Double($0) - Double($1)) }
            #expect(differences.reduce(0, +) / Double(differences.count) < 0.1 * 0.03, "\(a.name)")
        }
    }

    @Test("a step is that of the formulas, with the clipped gradient and the nearest codes")
    func formulas() throws {
        let (count, rate) = (5000, 0.01)
        let parameter = Parameter("p", Self.normal(count, seed: 1))
        let config = configured(Self.config(clipNorm: 2)) { ($0.beta1, $0.beta2, $0.weightDecay) = (0.8, 0.95, 0.1) }
        let adam = Adam([parameter], config: config)
        for number in 1...3 {
            let gradient = Self.normal(count, seed: 10 + UInt64(number))
            var values = parameter.value.values.map(Double.init)
            let (first, second) = (adam.state.codes["first.p"], adam.state.codes["second.p"])
            var firsts = try #require(first).values(in: .signed).map(Double.init)
            var seconds = try #require(second).values(in: .unsigned).map(Double.init)
            Self.add(gradient, to: parameter)
            let norm = try adam.step(learningRate: rate)
            #expect(norm > 2)
            let step = AdamStep(
                learningRate: Float(rate), beta1: 0.8, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, number: number,
                gradientScale: Float(2 / (norm + 1e-6)))
            for (index, g) in gradient.values.enumerated() {
                Naive.adam(step, gradient: Double(g), value: &values[index], first: &firsts[index], second: &seconds[index])
            }
            expectClose(parameter.value.values, values, relative: 2e-6, absolute: 2e-7, label: "step \(number)")
            let state = adam.state
            #expect(try Naive.misplaced(#require(state.codes["first.p"]), of: firsts, in: .signed) == 0)
            #expect(try Naive.misplaced(#require(state.codes["second.p"]), of: seconds, in: .unsigned) == 0)
        }
    }

    // MARK: Trainers

    /// A model whose embeddings alone have more than 4096 numbers.
    private static func model() throws -> Llama { try TinyModel.llama(vocabulary: 300) }

    private static func trainer(
        _ decoder: any TransformerDecoder, _ kind: OptimizerKind, _ log: EventLog = EventLog()
    ) throws -> SFTTrainer {
        let config = configured(SFTConfig()) {
            ($0.maxSteps, $0.batchSize, $0.seed) = (6, 8, 5)
            ($0.optimizer, $0.schedule) = (Self.config(kind), Schedule(.constant))
            $0.freezing = Freezing(fraction: 0.4, freezesEmbeddings: false)
        }
        return try SFTTrainer(decoder, config: config, examples: ToyData.examples(20), handler: log.handler)
    }

    @Test("a trainer learns about as with moments of 32 bits")
    func losses() throws {
        func trained(_ kind: OptimizerKind) throws -> (EventLog, Llama, SFTTrainer) {
            let (log, decoder) = (EventLog(), try Self.model())
            let trainer = try Self.trainer(decoder, kind, log)
            #expect(try trainer.run())
            return (log, decoder, trainer)
        }
        let ((exact, model, _), (coded, other, trainer)) = (try trained(.adamw), try trained(.adamw8bit))
        let kept = try trainer.snapshot.optimizer
        #expect(!kept.codes.isEmpty && !kept.tensors.isEmpty)
        #expect(exact.losses[0] == coded.losses[0] && exact.losses != coded.losses)
        expectClose(coded.losses, exact.losses, relative: 0.05)
        for (a, b) in zip(model.parameters, other.parameters) where a.value.count >= 4096 {
            let differences = zip(a.value.values, b.value.values).map { abs(Double($0) - Double($1)) }
            let mean = differences.reduce(0, +) / Double(differences.count)
            #expect(mean > 0 && mean < 0.2 * 6 * 3e-3, "\(a.name): \(mean)")
        }
    }

    @Test("a trainer that goes on from files equals an unbroken one bit for bit", arguments: OptimizerKind.allCases)
    func resumed(kind: OptimizerKind) throws {
        let whole = try Self.trainer(Self.model(), kind)
        #expect(try whole.run())
        let first = try Self.trainer(Self.model(), kind)
        var saved: (any TransformerDecoder)?
        let isComplete = try first.run(
            checkpoint: {
                try $0.snapshot.write(to: folder.url)
                saved = $0.decoder.copy()
            }, shouldStop: { first.step == 3 })
        #expect(!isComplete)
        let second = try Self.trainer(#require(saved), kind)
        let snapshot = try TrainerSnapshot.read(from: folder.url)
        try second.restore(snapshot)
        try expectIdentical(second.snapshot.optimizer, snapshot.optimizer)
        try expectIdentical(first.snapshot.optimizer, snapshot.optimizer)
        #expect(try second.run())
        Weights(second.decoder).expectIdentical(to: Weights(whole.decoder))
        try expectIdentical(second.snapshot.optimizer, whole.snapshot.optimizer)
    }

    @Test("PPO goes on from files with the same bits", arguments: OptimizerKind.allCases)
    func resumedPolicy(kind: OptimizerKind) throws {
        let start = try Self.model()
        func setup(
            _ policy: any TransformerDecoder, _ head: ValueHead = TinyModel.head(), kind own: OptimizerKind? = nil
        ) throws -> PPOTrainerTests.Setup {
            let config = PPOTrainerTests().config(3) {
                $0.optimizer = Self.config(own ?? kind, 2e-3)
                $0.freezing = Freezing(fraction: 0.67, freezesEmbeddings: false)
            }
            return try PPOTrainerTests.Setup(config, policy: policy, head: head, reference: start.copy())
        }
        let whole = try setup(start.copy())
        #expect(try whole.trainer.run())
        #expect(try whole.trainer.snapshot.optimizer.codes.isEmpty == (kind != .adamw8bit))
        let first = try setup(start.copy())
        var saved: (any TransformerDecoder, ValueHead?)?
        let isComplete = try first.trainer.run(
            checkpoint: {
                try $0.snapshot.write(to: folder.url)
                saved = ($0.policy.copy(), $0.valueHead?.copy())
            }, shouldStop: { first.trainer.step == 2 })
        #expect(!isComplete)
        let (policy, head) = try #require(saved)
        let second = try setup(policy, try #require(head))
        try second.trainer.restore(.read(from: folder.url))
        #expect(try second.trainer.run())
        second.weights.expectIdentical(to: whole.weights)
        try expectIdentical(second.trainer.snapshot.optimizer, whole.trainer.snapshot.optimizer)
        for other in OptimizerKind.allCases where other != kind {
            let error = #expect(throws: TrainingError.self) {
                try setup(start.copy(), kind: other).trainer.restore(.read(from: folder.url))
            }
            #expect(error?.description.contains("use --optimizer \(kind.rawValue), or start a new run") == true)
        }
    }

    private func expectIdentical(_ a: OptimizerState, _ b: OptimizerState, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(a.kind == b.kind, sourceLocation: sourceLocation)
        #expect(Set(a.tensors.keys) == Set(b.tensors.keys) && Set(a.codes.keys) == Set(b.codes.keys), sourceLocation: sourceLocation)
        for (name, tensor) in a.tensors {
            #expect(b.tensors[name]?.isIdentical(to: tensor) == true, "\(name)", sourceLocation: sourceLocation)
        }
        for (name, codes) in a.codes {
            #expect(b.codes[name]?.isIdentical(to: codes) == true, "\(name)", sourceLocation: sourceLocation)
        }
    }

    // MARK: Files

    private static let tensors = "optimizer.safetensors"

    /// Writes the snapshot of a trainer after some steps.
    private func writeSnapshot(_ kind: OptimizerKind) throws -> TrainerSnapshot {
        let trainer = try Self.trainer(Self.model(), kind)
        _ = try trainer.run(shouldStop: { trainer.step == 2 })
        try trainer.snapshot.write(to: folder.url)
        return try trainer.snapshot
    }

    @Test("the file has bytes of the parameter's shape and a scale for every 256 of them")
    func file() throws {
        _ = try writeSnapshot(.adamw8bit)
        let store = try WeightStore(file: folder[Self.tensors])
        for moment in ["first", "second"] {
            let name = "\(moment).model.embed_tokens.weight"
            #expect(try store.elementType(of: name) == .uint8 && store.shape(of: name) == [300, 16])
            #expect(try store.elementType(of: "\(name).scales") == .float32 && store.shape(of: "\(name).scales") == [19])
            let small = "\(moment).model.norm.weight"
            #expect(try store.elementType(of: small) == .float32 && store.shape(of: small) == [16])
            #expect(!store.contains("\(small).scales"))
        }
    }

    @Test("snapshots that do not name their optimiser", arguments: [OptimizerKind.adamw, .lion])
    func earlierVersion(kind: OptimizerKind) throws {
        let snapshot = try writeSnapshot(kind)
        let url = folder["trainer.json"]
        var numbers = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        #expect(numbers.removeValue(forKey: "optimizer") as? String == kind.rawValue)
        try JSONSerialization.data(withJSONObject: numbers).write(to: url)
        try expectIdentical(TrainerSnapshot.read(from: folder.url).optimizer, snapshot.optimizer)
    }

    @Test("damaged numbers of the optimiser are named with their file and what to do")
    func damageIsNamed() throws {
        _ = try writeSnapshot(.adamw8bit)
        let url = folder[Self.tensors]
        let content = try Data(contentsOf: url)
        let (small, large) = ("first.model.norm.weight", "first.model.embed_tokens.weight")
        let scales = "\(large).scales"
        func expectProblem(_ name: String, _ words: String, _ changed: WritableTensor) throws {
            try content.write(to: url)
            let store = try WeightStore(file: url)
            let tensors = try store.names.map { $0 == changed.name ? changed : WritableTensor(try store.tensor($0)) }
            try SafetensorsWriter().write(tensors, toFile: url)
            let error = checkpointError { try TrainerSnapshot.read(from: folder.url) }
            guard case .badTensor(let file, let found, let reason)? = error else {
                Issue.record("\(changed.name): \(String(describing: error))")
                return
            }
            #expect(file == url.path && found == name)
            let advice = "; remove this checkpoint, and the run resumes from the one before it"
            #expect(reason.hasPrefix(words) && reason.hasSuffix(advice), "\(reason)")
        }
        var values = [Float](repeating: 0, count: 16)
        values[3] = .nan
        try expectProblem(small, "it has the value nan at element 3", WritableTensor(small, shape: [16], values: values))
        let integers = WritableTensor(small, shape: [16], elementType: .int32) { body in
            try [Int32](repeating: 1, count: 16).withUnsafeBytes(body)
        }
        try expectProblem(small, "it has elements of type I32, expected F32", integers)
        var numbers = [Float](repeating: 1, count: 18)
        try expectProblem(large, "its scales do not fit its codes", WritableTensor(scales, shape: [18], values: numbers))
        numbers.append(.infinity)
        try expectProblem(scales, "it has the value inf at element 18", WritableTensor(scales, shape: [19], values: numbers))
    }

    @Test("a trainer.json that is cut off is named, with what to do")
    func truncatedNumbers() throws {
        _ = try writeSnapshot(.adamw)
        let url = folder["trainer.json"]
        try Data(contentsOf: url).prefix(20).write(to: url)
        let error = #expect(throws: FileError.self) { try TrainerSnapshot.read(from: folder.url) }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("\(url.path) is damaged: ") && text.contains("remove this checkpoint"), "\(text)")
    }

    @Test("damaged codes are refused, and no crash")
    func damaged() throws {
        _ = try writeSnapshot(.adamw8bit)
        let url = folder[Self.tensors]
        let content = try Data(contentsOf: url)
        let name = "first.model.embed_tokens.weight"
        let scales = "\(name).scales"
        func read(_ change: (StoredTensor) throws -> WritableTensor?) throws {
            try content.write(to: url)
            let store = try WeightStore(file: url)
            let tensors = try store.names.map { try store.tensor($0) }
            let copied = try tensors.compactMap { stored in
                stored.name == name || stored.name == scales ? try change(stored) : WritableTensor(stored)
            }
            try SafetensorsWriter().write(copied, toFile: url)
            _ = try TrainerSnapshot.read(from: folder.url)
        }
        try read { WritableTensor($0) }
        #expect(throws: CheckpointError.missingTensor(name: scales, file: url.path)) {
            try read { $0.name == scales ? nil : WritableTensor($0) }
        }
        for values in [Array(repeating: Float(1), count: 18), Array(repeating: -1, count: 19), Array(repeating: .nan, count: 19)] {
            #expect(throws: CheckpointError.self) {
                try read { $0.name == scales ? WritableTensor(scales, shape: [values.count], values: values) : WritableTensor($0) }
            }
        }
        // codes of another shape are read, and refused by the trainer
        try read { stored in
            stored.name == name
                ? WritableTensor(name, shape: [16, 300], elementType: .uint8) { body in try stored.withUnsafeBytes(body) }
                : WritableTensor(stored)
        }
        let error = #expect(throws: TrainingError.self) {
            try Self.trainer(Self.model(), .adamw8bit).restore(.read(from: folder.url))
        }
        #expect(error?.description.contains("model.embed_tokens.weight do not fit its shape [300, 16]") == true)
    }
}
