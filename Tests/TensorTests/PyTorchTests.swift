import Foundation
import Tensor
import Testing
import _TestSupport

/// Single operations and optimiser steps against the numbers that PyTorch computes.
@Suite struct PyTorchTests {
    /// One entry of operations.json; its script says what each holds.
    struct Fixture: Decodable {
        let settings: [String: Double]
        let inputs: [String: FixtureTensor]
        let output: FixtureTensor
        let upstream: FixtureTensor
        let gradients: [String: FixtureTensor]
    }
    struct File: Decodable { let cases: [String: Fixture] }

    /// How each entry is computed here, from the differentiable inputs by name.
    private typealias Computation = @Sendable (_ fixture: Fixture, _ inputs: [String: Tensor]) -> Tensor?
    private static let computations: [String: Computation] = [
        "linear": { _, x in x["input"]?.linear(x["weight"] ?? Tensor(0), bias: x["bias"]) },
        "linear.transposed": { _, x in
            guard let input = x["input"], let weight = x["weight"], let bias = x["bias"] else { return nil }
            // adds the bias as a linear layer does, with the weight as an input of a product
            let rows = input.shape[0]
            let ones = Tensor.filled(1, [rows, 1])
            return input.matmul(weight) + ones.matmul(bias.reshaped([1, bias.count]))
        },
        "embedding": { fixture, x in x["weight"]?.embedding(of: fixture.inputs["ids"]?.ids ?? []) },
        "rmsNorm": { fixture, x in
            x["input"]?.rmsNormalised(weight: x["weight"] ?? Tensor(0), epsilon: Float(fixture.settings["epsilon"] ?? 0))
        },
        "layerNorm": { fixture, x in
            x["input"]?.layerNormalised(
                weight: x["weight"] ?? Tensor(0), bias: x["bias"] ?? Tensor(0), epsilon: Float(fixture.settings["epsilon"] ?? 0))
        },
        "rotary": { fixture, x in
            guard let input = x["input"] else { return nil }
            let (rows, heads, dim) = (input.shape[0], input.shape[1], input.shape[2])
            let positions = fixture.inputs["positions"]?.ids ?? []
            let known = Int(positions.max() ?? 0) + 1
            let angles = (0..<known).flatMap { position in
                (0..<dim / 2).map { Double(position) * pow(fixture.settings["theta"] ?? 0, -2 * Double($0) / Double(dim)) }
            }
            let table = RotaryTable(
                cosines: Tensor(angles.map { Float(cos($0)) }, shape: [known, dim / 2]),
                sines: Tensor(angles.map { Float(sin($0)) }, shape: [known, dim / 2]))
            return input.reshaped([rows, heads * dim]).rotated(heads: heads, positions: positions, table: table)
                .reshaped(input.shape)
        },
        "swiGLU": { _, x in x["gate"]?.swiglu(up: x["up"] ?? Tensor(0)) },
        "gelu.exact": { _, x in x["input"]?.gelu() },
        "gelu.tanh": { _, x in x["input"]?.geluTanh() },
        "relu": { _, x in x["input"]?.relu() },
        "softmax": { _, x in x["input"]?.softmax() },
        "logSoftmax": { _, x in
            // the log-probability of every token in turn: rows repeated, an identity as the projection
            guard let input = x["input"] else { return nil }
            let (rows, width) = (input.shape[0], input.shape[1])
            let repeated = input.rows((0..<rows * width).map { $0 / width })
            return repeated.logProbs(
                identity(width), targets: (0..<rows * width).map { Int32($0 % width) }
            ).logProbs.reshaped(input.shape)
        },
        "attention": { fixture, x in
            guard let q = x["query"], let k = x["key"], let v = x["value"] else { return nil }
            let (queries, keys) = (q.shape[0], k.shape[0])
            func flat(_ x: Tensor) -> Tensor { x.reshaped([x.shape[0], x.shape[1] * x.shape[2]]) }
            let layout = AttentionLayout([.init(queries: 0..<queries, keyBegin: 0, firstKey: keys - queries)])
            return flat(q).attending(
                keys: flat(k), values: flat(v), layout: layout, heads: q.shape[1], keyHeads: k.shape[1]
            ).reshaped(q.shape)
        },
        "crossEntropy": { fixture, x in
            guard let logits = x["logits"] else { return nil }
            return logits.logProbs(identity(logits.shape[1]), targets: fixture.inputs["targets"]?.ids ?? []).logProbs
                .scaled(by: -1)
        },
    ]

    private static func identity(_ order: Int) -> Tensor {
        Tensor((0..<order * order).map { $0 % (order + 1) == 0 ? 1 : 0 }, shape: [order, order])
    }

    static let names = ((try? Fixtures.json(File.self, from: "operations/operations.json").cases.keys.sorted()) ?? ["missing"])

    @Test(arguments: names) func operation(name: String) throws {
        let fixture = try #require(Fixtures.json(File.self, from: "operations/operations.json").cases[name])
        let family = name.split(separator: ".").first.map(String.init) ?? name
        let compute = try #require(Self.computations[name] ?? Self.computations[family], "no computation for \(name)")
        try onEveryBuild { label, _ in
            let tape = Tape()
            let inputs = fixture.gradients.keys.sorted().compactMap { key in
                fixture.inputs[key].map { (key, tape.variable($0.tensor)) }
            }
            let result = try #require(compute(fixture, Dictionary(uniqueKeysWithValues: inputs)))
            func check(_ actual: Tensor, _ expected: FixtureTensor, _ label: String) {
                #expect(actual.shape == Shape(expected.shape), "\(label)")
                let scale = expected.values.reduce(1) { max($0, abs($1)) }
                expectClose(
                    actual.values, expected.values, relative: 1e-5, absolute: Self.absolute(name) * scale, label: label)
            }
            check(result, fixture.output, label)
            let gradients = tape.backward(from: [(result, fixture.upstream.tensor)], variables: inputs.map(\.1))
            for ((key, _), gradient) in zip(inputs, gradients) {
                check(gradient, try #require(fixture.gradients[key]), "d\(key), \(label)")
            }
        }
    }

    /// Far from zero an input has lost digits before the operation sees it.
    private static func absolute(_ name: String) -> Double {
        name == "layerNorm.farFromZero" ? 2e-5 : 1e-6
    }

    struct OptimiserFile: Decodable {
        struct Case: Decodable {
            let beta1, beta2, epsilon, weightDecay: Float
            let start: FixtureTensor
            let learningRates: [Float]
            let gradients: [FixtureTensor]
            let values: [FixtureTensor]
        }
        let cases: [Case]
    }

    @Test func adam() throws {
        let cases = try Fixtures.json(OptimiserFile.self, from: "optimisers/optimisers.json").cases
        #expect(cases.count == 3)
        for (index, fixture) in cases.enumerated() {
            onEveryBuild { label, _ in
                var value = fixture.start.tensor
                var (first, second) = (Tensor.zeros(value.shape), Tensor.zeros(value.shape))
                for number in 1...5 {
                    AdamStep(
                        learningRate: fixture.learningRates[number - 1], beta1: fixture.beta1, beta2: fixture.beta2,
                        epsilon: fixture.epsilon, weightDecay: fixture.weightDecay, number: number, gradientScale: 1
                    ).apply(gradient: fixture.gradients[number - 1].tensor, to: &value, first: &first, second: &second)
                    expectClose(
                        value.values, fixture.values[number - 1].values, relative: 1e-6, absolute: 1e-6,
                        label: "case \(index), step \(number), \(label)")
                }
            }
        }
    }

    struct CodesFile: Decodable {
        struct Case: Decodable {
            let beta1, beta2, epsilon, weightDecay: Float
            let start: FixtureTensor
            let learningRates: [Float]
            let gradients, values, exact: [FixtureTensor]
            let first, second: [[UInt8]]
            let firstScales, secondScales: [[Float]]
        }
        let codes: [Case]
    }

    /// Steps of a separate implementation in float32, each from its own codes; and torch.optim.AdamW as a measure of what rounding does.
    @Test func adamInEightBits() throws {
        let cases = try Fixtures.json(CodesFile.self, from: "optimisers/optimisers.json").codes
        #expect(cases.count == 2)
        for (index, fixture) in cases.enumerated() {
            try onEveryBuild { label, _ in
                var (value, run) = (fixture.start.tensor, fixture.start.tensor)
                let shape = value.shape
                var (first, second) = (MomentCodes(zeros: shape, in: .signed), MomentCodes(zeros: shape, in: .unsigned))
                var (runFirst, runSecond) = (first, second)
                for number in 1...5 {
                    let at = number - 1
                    let step = AdamStep(
                        learningRate: fixture.learningRates[at], beta1: fixture.beta1, beta2: fixture.beta2, epsilon: fixture.epsilon,
                        weightDecay: fixture.weightDecay, number: number, gradientScale: 1)
                    step.apply(gradient: fixture.gradients[at].tensor, to: &value, first: &first, second: &second)
                    let label = "case \(index), step \(number), \(label)"
                    expectClose(value.values, fixture.values[at].values, relative: 2e-6, absolute: 2e-6, label: label)
                    func stored(_ codes: [UInt8], _ scales: [Float]) throws -> MomentCodes {
                        try #require(codes.withUnsafeBytes { MomentCodes(shape: shape, codes: $0, scales: scales) })
                    }
                    let moments = [
                        (first, try stored(fixture.first[at], fixture.firstScales[at])),
                        (second, try stored(fixture.second[at], fixture.secondScales[at])),
                    ]
                    for (own, expected) in moments {
                        expectClose(own.withScales(Array.init), expected.withScales(Array.init), relative: 1e-6, absolute: 0, label: label)
                        // a number in the middle between two codes may have either
                        let steps = zip(own.withCodes(Array.init), expected.withCodes(Array.init)).map { abs(Int($0) - Int($1)) }
                        #expect(steps.allSatisfy { $0 <= 1 } && steps.reduce(0, +) <= 3, "\(label)")
                    }
                    (value, first, second) = (fixture.values[at].tensor, moments[0].1, moments[1].1)

                    step.apply(gradient: fixture.gradients[at].tensor, to: &run, first: &runFirst, second: &runSecond)
                    let differences = zip(run.values, fixture.exact[at].values).map { abs(Double($0) - Double($1)) }
                    let travelled = Double(fixture.learningRates[...at].reduce(0, +))
                    #expect(differences.reduce(0, +) / Double(differences.count) < 0.2 * travelled, "\(label)")
                    #expect(differences.reduce(0, max) < travelled, "\(label)")
                }
            }
        }
    }

    struct LionFile: Decodable {
        struct Case: Decodable {
            let beta1, beta2, weightDecay: Float
            let start: FixtureTensor
            let learningRates: [Float]
            let gradients, values, momenta: [FixtureTensor]
        }
        let lion: [Case]
    }

    @Test func lion() throws {
        let cases = try Fixtures.json(LionFile.self, from: "optimisers/optimisers.json").lion
        #expect(cases.count == 2)
        for (index, fixture) in cases.enumerated() {
            onEveryBuild { label, _ in
                var (value, momentum) = (fixture.start.tensor, Tensor.zeros(fixture.start.tensor.shape))
                for number in 0..<5 {
                    LionStep(
                        learningRate: fixture.learningRates[number], beta1: fixture.beta1, beta2: fixture.beta2,
                        weightDecay: fixture.weightDecay, gradientScale: 1
                    ).apply(gradient: fixture.gradients[number].tensor, to: &value, momentum: &momentum)
                    let label = "case \(index), step \(number + 1), \(label)"
                    expectClose(value.values, fixture.values[number].values, relative: 1e-6, absolute: 1e-6, label: label)
                    expectClose(momentum.values, fixture.momenta[number].values, relative: 1e-5, absolute: 1e-8, label: label)
                }
            }
        }
    }

    struct AdafactorFile: Decodable {
        struct Case: Decodable {
            let weightDecay: Float
            let start: FixtureTensor
            let learningRates: [Float]
            let gradients, values: [FixtureTensor]
            let moments: [String: FixtureTensor]
        }
        static let path = "optimisers/adafactor.json"
        static var exists: Bool { FileManager.default.fileExists(atPath: Fixtures.url(path).path) }
        let cases: [Case]
    }

    @Test(.enabled(if: AdafactorFile.exists, "make_adafactor.py makes the fixture; it needs torch and transformers"))
    func adafactor() throws {
        for (index, fixture) in try Fixtures.json(AdafactorFile.self, from: AdafactorFile.path).cases.enumerated() {
            try onEveryBuild { label, _ in
                var value = fixture.start.tensor
                var moments = fixture.moments.mapValues { Tensor.zeros($0.tensor.shape) }
                for number in 1...5 {
                    let step = AdafactorStep(
                        learningRate: fixture.learningRates[number - 1], weightDecay: fixture.weightDecay, number: number, gradientScale: 1)
                    let gradient = fixture.gradients[number - 1].tensor
                    if var second = moments["second"] {
                        step.apply(gradient: gradient, to: &value, second: &second)
                        moments["second"] = second
                    } else {
                        var (rows, columns) = (try #require(moments["row"]), try #require(moments["column"]))
                        step.apply(gradient: gradient, to: &value, rows: &rows, columns: &columns)
                        (moments["row"], moments["column"]) = (rows, columns)
                    }
                    let label = "case \(index), step \(number), \(label)"
                    expectClose(value.values, fixture.values[number - 1].values, relative: 2e-6, absolute: 2e-6, label: label)
                }
                for (name, expected) in fixture.moments {
                    expectClose(try #require(moments[name]).values, expected.values, relative: 1e-5, absolute: 0, label: name)
                }
            }
        }
    }
}
