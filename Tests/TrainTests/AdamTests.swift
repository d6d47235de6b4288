import Models
import Tensor
import Testing
import Train
import _TestSupport

@Suite struct AdamTests {
    private func add(_ gradient: [Float], to parameter: Parameter) {
        let tape = Tape()
        let product = parameter.on(tape) * Tensor(gradient, shape: parameter.value.shape)
        tape.backward(from: product.sum())
    }

    /// Numbers of torch.optim.AdamW with clip_grad_norm_(1.0).
    @Test("three clipped steps of AdamW")
    func clipping() throws {
        let p = Parameter("p", Tensor([0.5, -1, 2], shape: [3]))
        let q = Parameter("q", Tensor([0.25], shape: [1]))
        let config = configured(AdamConfig(learningRate: 9, clipNorm: 1)) {
            $0.beta1 = 0.8
            $0.beta2 = 0.9
            $0.epsilon = 1e-6
            $0.weightDecay = 0.05
        }
        // a parameter that is named twice is trained once, a frozen one not at all
        let frozen = Parameter("f", Tensor([7], shape: [1]), isTrainable: false)
        let adam = Adam([p, q, frozen, p], config: config)
        #expect(adam.parameters.map(\.name) == ["p", "q"])
        let steps: [(p: [Float], q: [Float], norm: Double, newP: [Double], newQ: Double)] = [
            ([3, -4, 0], [12], 13, [0.397500426, -0.895000339, 1.99000001], 0.148750111),
            ([0.1, 0.2, -0.2], [0], 0.3, [0.304957986, -0.880536914, 2.05662751], 0.0834301859),
            ([-1, 2, 2], [4], 5, [0.297278076, -0.923043668, 2.00976992], 0.00165612996),
        ]
        for step in steps {
            add(step.p, to: p)
            add(step.q, to: q)
            expectClose([try adam.step(learningRate: 0.1)], [step.norm], relative: 1e-6)
            expectClose(p.value.values, step.newP, relative: 1e-5, absolute: 1e-6)
            expectClose(q.value.values, [step.newQ], relative: 1e-5, absolute: 1e-6)
            #expect(p.gradient == nil && q.gradient == nil)
        }
        #expect(adam.stepCount == 3 && frozen.value.item == 7)
    }

    @Test("without clipping the norm is only reported")
    func noClipping() throws {
        let p = Parameter("p", Tensor([0], shape: [1]))
        var config = configured(AdamConfig(learningRate: 1, clipNorm: nil)) {
            $0.beta1 = 0
            $0.beta2 = 0
            $0.epsilon = 1
        }
        // with both betas 0 the step is rate · g / (|g| + 1)
        add([9], to: p)
        #expect(try Adam([p], config: config).step(learningRate: 1) == 9)
        expectClose([p.value.item], [-0.9], relative: 1e-6)
        config.clipNorm = 3
        p.value = Tensor([0], shape: [1])
        add([9], to: p)
        #expect(try Adam([p], config: config).step(learningRate: 1) == 9)
        expectClose([p.value.item], [-0.75], relative: 1e-6)
        // a norm below the bound is left alone
        p.value = Tensor([0], shape: [1])
        add([1], to: p)
        try Adam([p], config: config).step(learningRate: 1)
        expectClose([p.value.item], [-0.5], relative: 1e-6)
    }

    @Test("a gradient that is not finite changes nothing", arguments: [Float.nan, .infinity, -.infinity])
    func notFinite(bad: Float) throws {
        let p = Parameter("p", Tensor([0.5], shape: [1]))
        let q = Parameter("q", Tensor([0.5, 1], shape: [2]))
        let adam = Adam([p, q], config: AdamConfig(learningRate: 1))
        add([1], to: p)
        add([1, bad], to: q)
        #expect(throws: TrainingError.notFinite(what: "the gradient of q", step: 1, examples: ["a", "b"])) {
            try adam.step(learningRate: 1, examples: ["a", "b"])
        }
        #expect(p.value.values == [0.5] && q.value.values == [0.5, 1])
        #expect(p.gradient == nil && q.gradient == nil && adam.stepCount == 0)
        #expect(adam.state.tensors.values.allSatisfy { $0.values.allSatisfy { $0 == 0 } })
    }

    @Test("a restored optimiser goes on with the same bits")
    func state() throws {
        func parameter() -> Parameter { Parameter("p", Tensor([0.5, -2], shape: [2])) }
        let config = AdamConfig(learningRate: 1)
        let (unbroken, first, second) = (parameter(), parameter(), parameter())
        let adam = Adam([unbroken], config: config)
        let before = Adam([first], config: config)
        for gradient: [Float] in [[1, 2], [-3, 0.5]] {
            add(gradient, to: unbroken)
            try adam.step(learningRate: 0.1)
            add(gradient, to: first)
            try before.step(learningRate: 0.1)
        }
        second.value = first.value
        let after = Adam([second], config: config)
        try after.restore(before.state, stepCount: before.stepCount)
        #expect(after.stepCount == 2)
        for parameter in [unbroken, second] { add([0.3, 0.1], to: parameter) }
        try adam.step(learningRate: 0.1)
        try after.step(learningRate: 0.1)
        #expect(second.value.isIdentical(to: unbroken.value))
        // and the one that the state was taken from is not touched by it
        #expect(!second.value.isIdentical(to: first.value))
        #expect(before.state.tensors["first.p"].map { !$0.isIdentical(to: after.state.tensors["first.p"] ?? $0) } == true)
        let other = Adam([Parameter("other", Tensor([1], shape: [1]))], config: config)
        #expect(throws: TrainingError.self) { try other.restore(before.state, stepCount: 2) }
    }

    @Test("settings without a meaning are refused")
    func validation() throws {
        try AdamConfig(learningRate: 1).validate()
        for bad in [
            AdamConfig(learningRate: 0), AdamConfig(learningRate: .nan), AdamConfig(learningRate: .infinity),
            configured(AdamConfig(learningRate: 1)) { $0.beta1 = 1 }, configured(AdamConfig(learningRate: 1)) { $0.beta2 = -0.1 },
            configured(AdamConfig(learningRate: 1)) { $0.epsilon = 0 }, configured(AdamConfig(learningRate: 1)) { $0.weightDecay = -1 },
            AdamConfig(learningRate: 1, clipNorm: 0),
        ] {
            #expect(throws: TrainingError.self) { try bad.validate() }
        }
    }
}
