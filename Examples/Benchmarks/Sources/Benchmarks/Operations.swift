import Foundation
import Models
import Tensor

/// Times every expensive operation by itself at the shapes of a model with 100 M parameters (768 channels, 12 heads, feed-forward width
/// 2048, 32,000 token IDs); prints one line of JSON each.
struct Operations {
    let options: Options

    /// A measurement of one operation: its time, operations and memory traffic.
    private struct Line: Encodable {
        var name: String
        var shape: String
        var dtype: String
        var threads: Int
        /// The shortest time of several calls.
        var ms: Double
        /// Multiplications and additions; nil for operations limited by memory bandwidth.
        var gflops: Double?
        /// The minimum memory traffic in bytes: inputs read once, results written once.
        var gbs: Double?
    }

    /// Prints a line for every operation whose name contains the text of `--only`.
    func run() throws {
        try products()
        try adapters()
        try attention()
        try projections()
        try rowwise()
        try decoding()
    }

    // MARK: Operations

    private func products() throws {
        for (rows, outputs, inputs) in [
            (2048, 768, 768), (2048, 2048, 768), (2048, 768, 2048), (512, 768, 768), (16, 768, 768), (16, 2048, 768),
            (16, 768, 2048), (16, 32_000, 768), (1, 2048, 768), (1024, 16, 768), (1024, 16, 2048), (1024, 768, 16), (1024, 2048, 16),
        ] {
            let (x, weight) = (random("x", [rows, inputs]), Parameter("w", random("w", [outputs, inputs])))
            let flops = 2 * rows * outputs * inputs
            let shape = "[\(rows), \(inputs)] x [\(outputs), \(inputs)]T"
            let bytes = (options.dtype == .bf16 ? 2 : 4) * outputs * inputs + 4 * rows * (inputs + outputs)
            try measure("linear", shape, flops: flops, bytes: bytes) { _ = x.linear(weight.value) }
            guard rows > 16 else { continue }
            try measure("linear, forward and backward", shape, flops: 3 * flops) {
                let tape = Tape()
                let variable = tape.variable(x)
                let y = variable.linear(weight.on(tape))
                tape.backward(from: [(y, y.detached)], variables: [variable])
                weight.clearGradient()
            }
        }
    }

    /// A frozen weight without and with a rank-16 adapter.
    private func adapters() throws {
        for (rows, outputs, inputs) in [(1024, 768, 768), (1024, 2048, 768), (1024, 768, 2048)] {
            let (x, weight) = (random("x", [rows, inputs]), random("w", [outputs, inputs]))
            let (down, up) = (Parameter("a", random("a", [16, inputs])), Parameter("b", random("b", [outputs, 16])))
            let flops = 2 * rows * outputs * inputs
            let shape = "[\(rows), \(inputs)] x [\(outputs), \(inputs)]T"
            for isAdapted in [false, true] {
                let name = isAdapted ? "frozen linear and adapter" : "frozen linear"
                func value(_ x: Tensor, on tape: Tape?) -> Tensor {
                    guard isAdapted else { return x.linear(weight) }
                    return x.linear(down.on(tape)).scaled(by: 2).linear(up.on(tape), addedTo: x.linear(weight))
                }
                try measure("\(name)", shape, flops: flops) { _ = value(x, on: nil) }
                try measure("\(name), forward and backward", shape, flops: 2 * flops) {
                    let tape = Tape()
                    let variable = tape.variable(x)
                    let y = value(variable, on: tape)
                    tape.backward(from: [(y, y.detached)], variables: [variable])
                    for parameter in [down, up] { parameter.clearGradient() }
                }
            }
        }
    }

    private func attention() throws {
        for (lengths, heads, keyHeads, dim) in [
            (Array(repeating: 256, count: 8), 12, 12, 64), ([481, 60, 257, 128, 384, 512, 226], 12, 12, 64),
            ([2048], 12, 4, 64),
            ([481, 60, 257, 128, 384, 512, 226], 8, 8, 40),
        ] {
            let rows = lengths.reduce(0, +)
            let layout = AttentionLayout(lengths: lengths)
            let (q, k, v) = (
                random("q", [rows, heads * dim]), random("k", [rows, keyHeads * dim]),
                random("v", [rows, keyHeads * dim])
            )
            // two matrix products over the lower triangle of each sequence's attention matrix; five in the backward pass
            let flops = lengths.reduce(0) { $0 + 2 * $1 * ($1 + 1) } * heads * dim
            let shape = "lengths \(lengths), \(heads)/\(keyHeads) heads of \(dim)"
            try measure("attention", shape, flops: flops) {
                _ = q.attending(keys: k, values: v, layout: layout, heads: heads, keyHeads: keyHeads)
            }
            try measure("attention, forward and backward", shape, flops: flops * 7 / 2) {
                let tape = Tape()
                let inputs = [q, k, v].map(tape.variable)
                let y = inputs[0].attending(
                    keys: inputs[1], values: inputs[2], layout: layout, heads: heads, keyHeads: keyHeads)
                tape.backward(from: [(y, y.detached)], variables: inputs)
            }
        }
        let layout = AttentionLayout(
            (0..<16).map { .init(queries: $0..<$0 + 1, keyBegin: $0 * 350, firstKey: $0 * 350 + 349) })
        let (q, k, v) = (random("q", [16, 768]), random("k", [5600, 768]), random("v", [5600, 768]))
        try measure(
            "attention, one query each", "16 x 350 keys, 12 heads of 64", flops: 4 * 5600 * 768, bytes: 8 * 5600 * 768
        ) { _ = q.attending(keys: k, values: v, layout: layout, heads: 12, keyHeads: 12) }
    }

    private func projections() throws {
        let (rows, width, vocabulary) = (512, 768, 32_000)
        let hidden = random("h", [rows, width])
        let targets = (0..<Int32(rows)).map { $0 * 61 % 32_000 }
        let weights = [Float](repeating: 1 / Float(rows), count: rows)
        let shape = "\(rows) rows, \(width) to \(vocabulary)"
        let product = 2 * rows * width * vocabulary
        for isTrainable in [false, true] {
            let projection = Parameter("w", random("p", [vocabulary, width]), isTrainable: isTrainable)
            let kind = isTrainable ? "trained" : "frozen"
            try measure("cross-entropy, \(kind), forward and backward", shape, flops: (isTrainable ? 3 : 2) * product) {
                let tape = Tape()
                let variable = tape.variable(hidden)
                let loss = variable.crossEntropy(projection.on(tape), targets: targets, rowWeights: weights)
                tape.backward(from: loss, variables: [variable])
                projection.clearGradient()
            }
            try measure(
                "log-probabilities, \(kind), forward and backward", shape, flops: (isTrainable ? 4 : 2) * product
            ) {
                let tape = Tape()
                let variable = tape.variable(hidden)
                let sum = variable.logProbs(projection.on(tape), targets: targets).logProbs.sum()
                tape.backward(from: sum, variables: [variable])
                projection.clearGradient()
            }
        }
    }

    private func rowwise() throws {
        let (rows, width, inner) = (2048, 768, 2048)
        let x = random("x", [rows, width])
        let (ones, zeros) = (Tensor.filled(1, [width]), Tensor.zeros([width]))
        let (gate, up) = (random("g", [rows, inner]), random("u", [rows, inner]))
        let table = RotaryTable(cosines: random("c", [rows, 32]), sines: random("s", [rows, 32]))
        let positions = (0..<Int32(rows)).map { $0 }
        let both = 8 * rows * width
        try measure("RMS norm", "\(rows) x \(width)", bytes: both) { _ = x.rmsNormalised(weight: ones, epsilon: 1e-6) }
        try measure("layer norm", "\(rows) x \(width)", bytes: both) {
            _ = x.layerNormalised(weight: ones, bias: zeros, epsilon: 1e-6)
        }
        try measure("rotary", "\(rows) x 12 heads of 64", bytes: both) {
            _ = x.rotated(heads: 12, positions: positions, table: table)
        }
        try measure("SwiGLU", "\(rows) x \(inner)", bytes: 12 * rows * inner) { _ = gate.swiglu(up: up) }
        try measure("addition", "\(rows) x \(width)", bytes: 12 * rows * width) { _ = x + x }
        let step = AdamStep(
            learningRate: 1e-5, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, number: 3, gradientScale: 1)
        let gradient = random("d", [inner, width])
        var (value, first, second) = (
            random("v", [inner, width]), Tensor.zeros([inner, width]), Tensor.zeros([inner, width])
        )
        try measure("Adam", "\(inner) x \(width)", bytes: 28 * inner * width) {
            step.apply(gradient: gradient, to: &value, first: &first, second: &second)
        }
    }

    /// A decoding step without sampling: one token for each of 16 sequences with 300 preceding tokens, through the layers and the output
    /// projection.
    private func decoding() throws {
        guard "decode step".contains(options.only) else { return }
        let settings = LlamaConfiguration(
            vocabularySize: 32_000, hiddenSize: 768, intermediateSize: 2048, layerCount: 12, heads: 12)
        let model = try Llama(settings, weights: RandomWeights(generator: Philox(seed: 1)))
        let (sequences, before) = (16, 300)
        let cache = KVCache(for: model.shape, capacity: sequences * (before + 1))
        let positions = [Int32](repeating: Int32(before), count: sequences)
        let context = LayerContext(
            positions: positions,
            layout: AttentionLayout(
                (0..<sequences).map {
                    .init(queries: $0..<$0 + 1, keyBegin: $0 * (before + 1), firstKey: $0 * (before + 1) + before)
                }),
            cache: .init(cache, rows: (0..<sequences).map { $0 * (before + 1) + before }, isRead: true))
        let weights = model.parameterCounts.total - model.embeddingParameters[0].value.count
        let keys = 2 * sequences * before * 768 * 12
        try measure(
            "decode step", "16 sequences of 300, 12 layers of 768", flops: 2 * sequences * weights + 2 * keys,
            bytes: (options.dtype == .bf16 ? 2 : 4) * (weights + keys)
        ) {
            var states = model.embed([Int32](repeating: 5, count: sequences), positions: positions, on: nil)
            for layer in 0..<12 { states = model.layer(layer, states, context, on: nil) }
            _ = model.logits(model.finish(states, on: nil))
        }
    }

    // MARK: Measuring

    private func random(_ name: String, _ shape: Shape) -> Tensor {
        var generator = Philox(seed: 5).split(name)
        return .normal(shape, standardDeviation: 0.5, using: &generator)
    }

    private func measure(_ name: String, _ shape: String, flops: Int? = nil, bytes: Int? = nil, _ body: () -> Void)
        throws
    {
        guard options.only.isEmpty || name.contains(options.only) else { return }
        body()
        var (best, spent, calls) = (Double.infinity, 0.0, 0)
        // at least the requested number of calls, for at least a quarter of a second
        while calls < options.iterations || spent < 0.25 {
            var watch = Stopwatch()
            body()
            let seconds = watch.lap()
            best = min(best, seconds)
            spent += seconds
            calls += 1
        }
        let line = Line(
            name: name, shape: shape, dtype: options.dtype.rawValue, threads: options.threads,
            ms: Self.rounded(best * 1e3),
            gflops: flops.map { Self.rounded(Double($0) / best / 1e9) },
            gbs: bytes.map { Self.rounded(Double($0) / best / 1e9) })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(line), as: UTF8.self))
    }

    private static func rounded(_ x: Double) -> Double { (x * 1000).rounded() / 1000 }
}
