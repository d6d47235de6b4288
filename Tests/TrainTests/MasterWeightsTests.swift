import Models
import Tensor
import Testing
import Train
import _TestSupport

/// Trained weights that are kept in bfloat16 between the steps of an optimiser.
@Suite struct MasterWeightsTests {
    private func config(_ kind: OptimizerKind) -> AdamConfig {
        configured(AdamConfig(learningRate: 1, clipNorm: nil)) { $0.kind = kind }
    }

    /// A parameter that is held in bfloat16.
    private func held(_ name: String, _ value: Tensor) throws -> Parameter {
        let narrow = try NarrowElements.rounding(value.storage, count: value.count, to: .bf16, keepsOriginal: false)
        let parameter = Parameter(name, Tensor(shape: value.shape, narrow: narrow))
        parameter.masterFormat = .bf16
        return parameter
    }

    @Test("weights change by the whole step on average, where each step is lost in the nearest number", arguments: OptimizerKind.allCases)
    func mean(kind: OptimizerKind) throws {
        let shape: Shape = [64, 64]
        let parameter = try held("p", .filled(1, shape))
        let adam = Adam([parameter], config: config(kind), random: Philox(seed: 3))
        for _ in 0..<100 {
            parameter.gradient = .filled(1, shape)
            try adam.step(learningRate: 1e-4)
            #expect(parameter.value.storage.format == .bf16 && parameter.gradient == nil)
        }
        // the distance of two numbers below 1 is 0.0039, so the mean of 4096 has a standard deviation of about 0.0001
        let values = parameter.value.values
        let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
        #expect(abs(mean - 0.99) < 6e-4, "\(mean)")
        #expect(Set(values).count > 2)
    }

    @Test("a restored optimiser goes on with the same bits, on any number of threads", arguments: OptimizerKind.allCases)
    func resumed(kind: OptimizerKind) throws {
        let shapes: [Shape] = [[70, 90], [40, 16]]
        func start() throws -> Adam {
            let parameters = try shapes.enumerated().map { index, shape in
                var random = Philox(seed: UInt64(index))
                return try held("p\(index)", Tensor((0..<shape.count).map { _ in random.normal() }, shape: shape))
            }
            return Adam(parameters + [Parameter("bias", .zeros([90]))], config: config(kind), random: Philox(seed: 5))
        }
        func step(_ adam: Adam, _ number: Int) throws {
            for (index, parameter) in adam.parameters.enumerated() {
                var random = Philox(seed: UInt64(100 * number + index))
                let gradient = (0..<parameter.value.count).map { _ in random.normal() }
                parameter.gradient = Tensor(gradient, shape: parameter.value.shape)
            }
            try adam.step(learningRate: 0.01)
        }
        let (unbroken, before, after) = (try start(), try start(), try start())
        for number in 1...6 { try Compute.$threads.withValue(1) { try step(unbroken, number) } }
        for number in 1...3 { try Compute.$threads.withValue(3) { try step(before, number) } }
        for (old, new) in zip(before.parameters, after.parameters) { new.value = old.value }
        try after.restore(before.state, stepCount: before.stepCount)
        for number in 4...6 { try Compute.$threads.withValue(3) { try step(after, number) } }
        for (a, b) in zip(unbroken.parameters, after.parameters) {
            #expect(a.value.isIdentical(to: b.value), "\(a.name)")
            #expect(a.value.storage.format == (a.name == "bias" ? .f32 : .bf16))
        }
        // another seed rounds otherwise
        let other = Adam(try start().parameters, config: config(kind), random: Philox(seed: 6))
        for number in 1...6 { try step(other, number) }
        #expect(!other.parameters[0].value.isIdentical(to: unbroken.parameters[0].value))
    }

    @Test("other ranks get the owner's numbers, in bfloat16", arguments: [5, 1000])
    func ranks(bucket: Int) throws {
        let found = try ThreadCollective.run(2) { group in
            let parameters = try [0, 1].map { try held("p\($0)", .filled(Float(10 * $0 + group.rank), [16, 20])) }
            let shares = ParameterShares(parameters, among: group, config: configured(ExchangeConfig()) { $0.bucket = bucket })
            try shares.shareValues([true, true])
            return parameters.map { (values: Set($0.value.values), isNarrow: $0.value.storage.format == .bf16) }
        }
        let owners = ParameterShares.owners(counts: [320, 320], ranks: 2)
        for rank in found {
            for (index, result) in rank.enumerated() {
                #expect(result.values == [Float(10 * index + owners[index])])
                #expect(result.isNarrow)
            }
        }
    }

    @Test("the estimate of other formats is what holding takes", arguments: [Compute.Precision.f32, .bf16])
    func memory(precision: Compute.Precision) throws {
        let settings = LlamaConfiguration(
            vocabularySize: 40, hiddenSize: 32, intermediateSize: 48, layerCount: 4, heads: 2, contextLength: 64)
        let model = try Llama(settings, weights: RandomWeights(generator: Philox(seed: 1)))
        Freezing(fraction: 0.5).apply(to: model)
        let before = WeightMemory(of: [model])
        let expected = before.bytes(.f32, precision, master: .bf16)
        #expect(expected.allocated < before.bytes(.f32, precision).allocated)
        if precision == .bf16 { #expect(expected.packed < before.bytes(.f32, precision).packed) }
        let bytes = try MasterWeights.hold(model, as: .bf16)
        #expect(bytes.after * 2 == bytes.before && bytes.after > 0)
        #expect(WeightMemory(of: [model]).bytes(.f32, precision) == expected)
        // and passes keep no packed copies of it
        try Compute.$precision.withValue(precision) {
            let adam = Adam(model.parameters, config: config(.adamw))
            // what is held is no file that the first step copies into memory
            #expect(adam.mappedBytes == 0)
            let tape = Tape()
            tape.backward(from: SFTLoss.loss(model, ToyData.examples(6), weight: 1, on: tape))
            for parameter in model.parameters where parameter.masterFormat == .bf16 {
                #expect(parameter.gradient != nil && parameter.value.storage.packedByteCount == 0, "\(parameter.name)")
            }
            try adam.step(learningRate: 0.01)
        }
        #expect(WeightMemory(of: [model]).bytes(.f32, precision).allocated == expected.allocated)
    }
}
