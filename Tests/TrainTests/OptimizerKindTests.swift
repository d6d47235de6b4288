import Models
import Tensor
import Testing
import Train
import _TestSupport

/// The optimisers beside AdamW: steps, states and memory.
@Suite struct OptimizerKindTests {
    private func config(_ kind: OptimizerKind, clipNorm: Double? = nil) -> AdamConfig {
        configured(AdamConfig(learningRate: 1, clipNorm: clipNorm)) { $0.kind = kind }
    }

    private func add(_ gradient: [Float], to parameter: Parameter) {
        let tape = Tape()
        tape.backward(from: (parameter.on(tape) * Tensor(gradient, shape: parameter.value.shape)).sum())
    }

    /// Numbers that are distributed like gradients, the same ones for a seed.
    private func numbers(_ count: Int, seed: UInt64) -> [Float] {
        var generator = Philox(seed: seed)
        return (0..<count).map { _ in Float(Double(generator.next() >> 11) * 0x1p-53 - 0.5) }
    }

    @Test("names, also those of Transformers")
    func names() {
        for kind in OptimizerKind.allCases { #expect(OptimizerKind(named: kind.rawValue) == kind) }
        let others: [(String, OptimizerKind)] = [
            ("adamw_torch", .adamw), ("AdamW-Torch-Fused", .adamw), ("adamw_hf", .adamw), ("lion_32bit", .lion),
            ("Adafactor", .adafactor), ("adamw_bnb_8bit", .adamw8bit), ("adamw_8bit", .adamw8bit), ("paged_adamw_8bit", .adamw8bit),
        ]
        #expect(OptimizerKind.list == "adamw, adamw8bit, lion or adafactor")
        for (name, kind) in others { #expect(OptimizerKind(named: name) == kind, "\(name)") }
        for name in ["", "adam", "sgd", "adamw_torch_4bit", "lion_8bit"] { #expect(OptimizerKind(named: name) == nil) }
    }

    @Test("Lion steps by the sign of a clipped mean, and remembers the gradient")
    func lion() throws {
        let p = Parameter("p", Tensor([1, -1, 2, 0.5], shape: [4]))
        var settings = config(.lion, clipNorm: 1)
        (settings.beta1, settings.beta2, settings.weightDecay) = (0.5, 0.75, 0.5)
        let lion = Adam([p], config: settings)
        add([3, -4, 0, 0], to: p)
        // clipped to [0.6, -0.8, 0, 0]
        #expect(try lion.step(learningRate: 0.1) == 5)
        expectClose(p.value.values, [0.85, -0.85, 1.9, 0.475], relative: 1e-6)
        expectClose(lion.state.tensors["first.p"]?.values ?? [], [0.15, -0.2, 0, 0], relative: 1e-5)
        #expect(Set(lion.state.tensors.keys) == ["first.p"] && lion.state.codes.isEmpty)
        // the mean is that of momentum and gradient: one of them decides
        add([-0.1, 0.3, 0.2, 0], to: p)
        try lion.step(learningRate: 0.1)
        expectClose(p.value.values, [0.7075, -0.9075, 1.705, 0.45125], relative: 1e-6)
        expectClose(lion.state.tensors["first.p"]?.values ?? [], [0.0875, -0.075, 0.05, 0], relative: 1e-5, absolute: 1e-7)
    }

    @Test("a restored optimiser goes on with the same bits", arguments: OptimizerKind.allCases)
    func state(kind: OptimizerKind) throws {
        let sizes = [7, 5000]
        func parameters() -> [Parameter] { sizes.map { Parameter("p\($0)", Tensor(numbers($0, seed: 1), shape: [$0])) } }
        func step(_ adam: Adam, _ number: UInt64) throws {
            for parameter in adam.parameters { add(numbers(parameter.value.count, seed: 10 + number), to: parameter) }
            try adam.step(learningRate: 0.1)
        }
        let unbroken = Adam(parameters(), config: config(kind))
        let before = Adam(parameters(), config: config(kind))
        for number: UInt64 in 1...3 {
            try step(unbroken, number)
            try step(before, number)
        }
        let after = Adam(parameters(), config: config(kind))
        for (old, new) in zip(before.parameters, after.parameters) { new.value = old.value }
        try after.restore(before.state, stepCount: before.stepCount)
        for number: UInt64 in 4...6 {
            try step(unbroken, number)
            try step(after, number)
        }
        for (a, b) in zip(unbroken.parameters, after.parameters) { #expect(a.value.isIdentical(to: b.value)) }
        #expect(after.stepCount == 6)
        // the state that was handed over is not changed by these steps
        let (old, new) = (before.state, after.state)
        for (name, tensor) in old.tensors { #expect(new.tensors[name].map { !$0.isIdentical(to: tensor) } == true, "\(name)") }
        for (name, codes) in old.codes { #expect(new.codes[name].map { !$0.isIdentical(to: codes) } == true, "\(name)") }
    }

    @Test("a state of another optimiser is refused")
    func otherKinds() throws {
        func optimiser(_ kind: OptimizerKind, count: Int = 5000) throws -> Adam {
            let parameter = Parameter("p", Tensor(numbers(count, seed: 1), shape: [count]))
            let adam = Adam([parameter], config: config(kind))
            add(numbers(count, seed: 2), to: parameter)
            try adam.step(learningRate: 0.1)
            return adam
        }
        for own in OptimizerKind.allCases {
            for other in OptimizerKind.allCases where other != own {
                let state = try optimiser(other).state
                let error = #expect(throws: TrainingError.self) { try optimiser(own).restore(state, stepCount: 1) }
                let message = try #require(error).description
                #expect(message.contains("saved with --optimizer \(other.rawValue), and this run has --optimizer \(own.rawValue);"))
                #expect(message.contains("use --optimizer \(other.rawValue), or start a new run"))
            }
            let shorter = try optimiser(own, count: 4999).state
            let shape = #expect(throws: TrainingError.self) { try optimiser(own).restore(shorter, stepCount: 1) }
            #expect(shape?.description.contains("for p do not fit its shape [5000]") == true)
            let none = OptimizerState(kind: own)
            let missing = #expect(throws: TrainingError.self) { try optimiser(own).restore(none, stepCount: 1) }
            #expect(missing?.description.contains("no optimiser moments for p") == true)
        }
    }

    @Test("the memory of an optimiser is what it allocates", arguments: OptimizerKind.allCases)
    func memory(kind: OptimizerKind) {
        let shapes: [Shape] = [[700, 1000], [4095], [64, 64]]
        let parameters = shapes.map { Parameter("p\($0)", Tensor.zeros($0)) }
        let adam = Adam(parameters, config: config(kind))
        let floats = adam.state.tensors.values.reduce(0) { $0 + Allocator.capacity(for: 4 * $1.count) }
        #expect(adam.memory.moments == adam.state.codes.values.reduce(floats) { $0 + MomentCodes.byteCount(of: $1.shape.count) })
        #expect(adam.memory.gradients == parameters.reduce(0) { $0 + Allocator.capacity(for: 4 * $1.value.count) })
        let stored = adam.state.tensors.values.reduce(0) { $0 + 4 * $1.count }
        #expect(
            shapes.reduce(0) { $0 + kind.storedBytes(of: $1) }
                == adam.state.codes.values.reduce(stored) { $0 + $1.shape.count + 4 * $1.blockCount })
        // the vector has at most two floats a weight
        let expected = 708_191 * kind.bytesPerWeight
        #expect((expected...1.15 * expected + 40_000).contains(Double(adam.memory.moments)))
    }
}
