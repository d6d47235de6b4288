import Foundation
import Tensor
import Testing
import _TestSupport

/// Several linear layers as one parallel region against the same layers one after another: the same bits in every plan, precision and
/// storage format, for any number of threads.
@Suite struct LinearGroupTests {
    /// How weights are stored, which decides how products read them.
    enum Stored: CaseIterable, Sendable {
        /// 32-bit floats.
        case floats
        /// bfloat16, as in a file that is read as it is; products in bf16 keep a packed copy.
        case bf16
        /// Half precision, likewise.
        case f16
        /// bfloat16 without a packed copy.
        case bf16InPassing
        /// Floats of which products keep no packed copy.
        case floatsInPassing
        /// Blocks of 8-bit integers without a packed copy.
        case q8

        func tensor(_ numbers: Tensor) throws -> Tensor {
            func rounded(_ format: NumberFormat) throws -> Tensor {
                Tensor(shape: numbers.shape, narrow: try .rounding(numbers.storage, count: numbers.count, to: format))
            }
            switch self {
            case .floats: return PackedInPassingTests.weight(.f32, numbers, inPassing: false)
            case .floatsInPassing: return PackedInPassingTests.weight(.f32, numbers, inPassing: true)
            case .bf16: return PackedInPassingTests.weight(.bf16, numbers, inPassing: false)
            case .f16: return PackedInPassingTests.weight(.f16, numbers, inPassing: false)
            case .bf16InPassing: return try rounded(.bf16)
            case .q8: return try rounded(.q8)
            }
        }
    }

    private static func random(_ name: String, _ shape: Shape) -> Tensor { OpCase.Input.normal(name, shape).tensor }

    /// Layers with one output, a whole panel, one column more, and a whole group of panels; every second one has a bias.
    static let widths = [1, 64, 65, 192]

    /// Layers of new tensors, for which nothing is packed yet.
    private static func layers(_ stored: Stored, inputs: Int, widths: [Int] = widths) throws -> [LinearLayer] {
        try widths.enumerated().map { index, width in
            LinearLayer(
                try stored.tensor(random("w\(index)", [width, inputs])), bias: index % 2 == 1 ? random("b\(index)", [width]) : nil)
        }
    }

    private static func single(_ x: Tensor, _ layers: [LinearLayer]) -> [Tensor] {
        layers.map { x.linear($0.weight, bias: $0.bias) }
    }

    // MARK: Results

    @Test(arguments: [1, 4, 16, 100], Stored.allCases) func results(rows: Int, stored: Stored) throws {
        // too small for several threads, and large enough
        for inputs in [16, 320] {
            let x = Self.random("x", [rows, inputs])
            for precision in Compute.Precision.allCases {
                let (together, alone) = (try Self.layers(stored, inputs: inputs), try Self.layers(stored, inputs: inputs))
                onEveryBuild { label, _ in
                    Compute.$precision.withValue(precision) {
                        expectIdentical(
                            x.linear(together), Self.single(x, alone), "\(label), \(precision), \(inputs) inputs, \(rows) rows")
                    }
                }
            }
        }
    }

    /// Different plans in a group: a kept packed matrix, blocks that are packed on the fly, and a weight that is too narrow to be
    /// rounded.
    @Test(arguments: [3, 100]) func layersOfSeveralFormats(rows: Int) throws {
        let x = Self.random("x", [rows, 96])
        func layers() throws -> [LinearLayer] {
            try zip(Stored.allCases, [70, 8, 130, 40, 96, 200]).map { LinearLayer(try $0.tensor(Self.random("w\($1)", [$1, 96]))) }
        }
        let (together, alone) = (try layers(), try layers())
        for precision in Compute.Precision.allCases {
            onEveryBuild { label, _ in
                Compute.$precision.withValue(precision) {
                    expectIdentical(x.linear(together), Self.single(x, alone), "\(label), \(precision)")
                }
            }
        }
    }

    @Test func aChangedWeightIsPackedAnew() throws {
        try Compute.$precision.withValue(.bf16) {
            let x = Self.random("x", [16, 64])
            var layers = try Self.layers(.floats, inputs: 64)
            let before = x.linear(layers)
            layers[1].weight.update { for index in $0.indices { $0[index] *= 2 } }
            layers[1].bias?.update { for index in $0.indices { $0[index] *= 2 } }
            let after = x.linear(layers)
            expectIdentical(after, [before[0], before[1].scaled(by: 2), before[2], before[3]], "after a change")
        }
    }

    @Test func oneLayerOrNone() {
        let (x, weight) = (Self.random("x", [5, 20]), Self.random("w", [30, 20]))
        #expect(x.linear([LinearLayer]()).isEmpty)
        expectIdentical(x.linear([LinearLayer(weight)]), [x.linear(weight)], "one layer")
    }

    // MARK: Gated layers

    @Test(arguments: [1, 4, 16, 100], [Stored.floats, .floatsInPassing, .bf16, .q8]) func gated(rows: Int, stored: Stored) throws {
        for (inputs, width) in [(16, 33), (320, 200)] {
            let x = Self.random("x", [rows, inputs])
            for precision in Compute.Precision.allCases {
                let layers = try Self.layers(stored, inputs: inputs, widths: [width, width])
                onEveryBuild { label, _ in
                    Compute.$precision.withValue(precision) {
                        for activation in [GatedActivation.silu, .geluTanh] {
                            let parts = Self.single(x, layers)
                            let expected = parts[0].gated(activation, up: parts[1])
                            let result = x.gatedLinear(activation, gate: layers[0], up: layers[1])
                            // on a tape the outputs of both layers are made first
                            let tape = Tape()
                            let recorded = tape.variable(x).gatedLinear(activation, gate: layers[0], up: layers[1])
                            #expect(recorded.isRecorded && tape.count == 5)
                            let name = "\(label), \(precision), \(activation), \(inputs) inputs"
                            expectIdentical([result, recorded.detached], [expected, expected], name)
                        }
                    }
                }
            }
        }
    }

    /// The blocks of floats and of narrow elements differ.
    @Test func gatedLayersOfTwoFormats() throws {
        let x = Self.random("x", [7, 320])
        let gate = LinearLayer(Self.random("w0", [200, 320]))
        for stored in [Stored.bf16, .q8] {
            let up = LinearLayer(try stored.tensor(Self.random("w1", [200, 320])), bias: Self.random("b", [200]))
            for precision in Compute.Precision.allCases {
                onEveryBuild { label, _ in
                    Compute.$precision.withValue(precision) {
                        let parts = Self.single(x, [gate, up])
                        let result = x.gatedLinear(.silu, gate: gate, up: up)
                        #expect(result.isIdentical(to: parts[0].swiglu(up: parts[1])), "\(label), \(stored), \(precision)")
                    }
                }
            }
        }
    }

    // MARK: Gradients

    /// The gradients of x, and of the weights and biases that are watched. The output of layer `unused` has no gradient.
    private static func gradients(
        _ layers: [LinearLayer], _ x: Tensor, isGroup: Bool, isKept: Bool, watched: (Int) -> Bool, unused: Int? = nil
    ) -> [Tensor] {
        let tape = Tape()
        let a = tape.variable(x)
        let input = isKept ? a : a.scaled(by: 1)
        var variables = [a]
        func watch(_ tensor: Tensor) -> Tensor {
            variables.append(tape.variable(tensor))
            return variables[variables.count - 1]
        }
        let watching = layers.enumerated().map { index, layer in
            watched(index) ? LinearLayer(watch(layer.weight), bias: layer.bias.map(watch)) : layer
        }
        let results = isGroup ? input.linear(watching) : single(input, watching)
        let outputs = results.enumerated().filter { $0.offset != unused }.map {
            (tensor: $0.element, gradient: random("dy\($0.offset)", $0.element.shape))
        }
        return tape.backward(from: outputs, variables: variables)
    }

    private static func compareGradients(_ stored: Stored, rows: Int, isKept: Bool, unused: Int? = nil, watched: (Int) -> Bool) throws {
        // the layer with one output has another plan, so the products for dx are separate; without it, they are one region
        for widths in [widths, Array(widths.dropFirst())] {
            try compareGradients(stored, rows: rows, widths: widths, isKept: isKept, unused: unused, watched: watched)
        }
    }

    private static func compareGradients(
        _ stored: Stored, rows: Int, widths: [Int], isKept: Bool, unused: Int?, watched: (Int) -> Bool
    ) throws {
        let x = random("x", [rows, 320])
        for precision in Compute.Precision.allCases {
            let together = try layers(stored, inputs: 320, widths: widths)
            let alone = try layers(stored, inputs: 320, widths: widths)
            var first: [Tensor] = []
            var build = ""
            onEveryBuild { label, threads in
                Compute.$precision.withValue(precision) {
                    let label = "\(label), \(precision), \(stored), \(widths), kept: \(isKept)"
                    let results = gradients(together, x, isGroup: true, isKept: isKept, watched: watched, unused: unused)
                    let expected = gradients(alone, x, isGroup: false, isKept: isKept, watched: watched, unused: unused)
                    expectIdentical(results, expected, label)
                    // those of one thread
                    if threads == 1 { (first, build) = (results, label) }
                    expectIdentical(results, first, "\(label) and \(build)")
                }
            }
        }
    }

    @Test(arguments: [1, 4, 16, 100]) func gradientsOfAllLayers(rows: Int) throws {
        for isKept in [false, true] { try Self.compareGradients(.floats, rows: rows, isKept: isKept) { _ in true } }
    }

    @Test func gradientsOfNarrowWeights() throws {
        for stored in [Stored.bf16, .bf16InPassing, .floatsInPassing, .q8] {
            try Self.compareGradients(stored, rows: 100, isKept: false) { _ in true }
        }
    }

    @Test func gradientsOfSomeLayers() throws {
        for unused in [nil, 0, 2] {
            try Self.compareGradients(.floats, rows: 60, isKept: false, unused: unused) { $0 % 2 == 1 }
            try Self.compareGradients(.floats, rows: 60, isKept: false, unused: unused) { _ in false }
        }
    }

    @Test func onlyWhatNeedsAGradientIsRecorded() {
        let (x, weights) = (Self.random("x", [5, 20]), ["v", "w"].map { Parameter($0, Self.random($0, [30, 20])) })
        weights[0].isTrainable = false
        let tape = Tape()
        let results = x.linear(weights.map { LinearLayer($0.on(tape)) })
        // the parameter, the group, the output of the trained layer
        #expect(tape.count == 3)
        #expect(!results[0].isRecorded && results[1].isRecorded)
        tape.backward(from: results.map { ($0, .filled(1, $0.shape)) })
        #expect(weights[0].gradient == nil && weights[1].gradient != nil)
        let constant = x.linear(weights.map { LinearLayer($0.value) })
        #expect(constant.allSatisfy { !$0.isRecorded })
    }

    /// A parameter in two layers of a group is finished once, when both have added to its gradient.
    @Test func aParameterInTwoLayers() {
        let (x, weight) = (Self.random("x", [5, 20]), Parameter("w", Self.random("w", [30, 20])))
        var finished: [Tensor?] = []
        let tape = Tape(finished: { finished.append($0.gradient) })
        let results = x.linear([LinearLayer(weight.on(tape)), LinearLayer(weight.on(tape))])
        tape.backward(from: results.map { ($0, .filled(1, $0.shape)) })
        #expect(finished.count == 1)
        let alone = Tape()
        let variable = alone.variable(weight.value)
        let expected = alone.backward(
            from: [x.linear(variable), x.linear(variable)].map { ($0, .filled(1, $0.shape)) }, variables: [variable])
        #expect(finished.first??.isIdentical(to: expected[0]) == true)
    }

    // MARK: Parallel regions

    /// In a process of its own, because other tests use the threads, too.
    @Test func aGroupIsOneRegion() async {
        await #expect(processExitsWith: .success) {
            let x = OpCase.Input.normal("x", [16, 320]).tensor
            let weights = (0..<3).map { OpCase.Input.normal("w\($0)", [192, 320]).tensor }
            let narrow = try weights.map { Tensor(shape: $0.shape, narrow: try .rounding($0.storage, count: $0.count, to: .bf16)) }
            func regions(_ body: () -> Void) -> Int {
                // the first call packs weights and starts threads
                body()
                let profile = ComputeProfile()
                body()
                return profile.report.jobs
            }
            for threads in [2, 7] {
                Compute.$threads.withValue(threads) {
                    for precision in Compute.Precision.allCases {
                        Compute.$precision.withValue(precision) {
                            for (name, weights) in [("floats", weights), ("bfloat16", narrow)] {
                                let layers = weights.map { LinearLayer($0) }
                                let group = regions { _ = x.linear(layers) }
                                precondition(group == 1, "\(group) regions in a group of \(name), \(precision), \(threads) threads")
                                let gated = regions { _ = x.gatedLinear(.silu, gate: layers[0], up: layers[1]) }
                                precondition(gated == 1, "\(gated) regions in a gated MLP of \(name), \(precision), \(threads) threads")
                                let single = regions { for weight in weights { _ = x.linear(weight) } }
                                precondition(single >= 3, "\(single) regions in single products of \(name), \(precision)")
                            }
                        }
                    }
                }
            }
        }
    }
}
