import Tensor
import Testing
import _TestSupport

/// Linear layers of inference against the recorded ones, in every build, with one and two threads.
@Suite struct FusedLinearTests {
    private static func random(_ name: String, _ shape: Shape) -> Tensor { OpCase.Input.normal(name, shape).tensor }

    private static func followed(_ x: Tensor, by following: FusedLinear.Following) -> Tensor {
        switch following {
        case .nothing: x
        case .relu: x.relu()
        case .gelu: x.gelu()
        case .geluTanh: x.geluTanh()
        }
    }

    /// Panels that are not full, rows that are no multiple of a tile's, both ways of sharing work out among threads.
    static let shapes: [(rows: Int, inputs: Int, outputs: Int)] = [
        (1, 16, 16), (2, 17, 33), (5, 24, 72), (6, 64, 64), (13, 48, 130), (70, 33, 100), (130, 96, 200),
    ]

    @Test(arguments: shapes, Compute.Precision.allCases)
    func equalsProductActivationAndResidual(
        shape: (rows: Int, inputs: Int, outputs: Int), precision: Compute.Precision
    ) throws {
        let (rows, inputs, outputs) = shape
        let (x, weight, bias) = (
            Self.random("x", [rows, inputs]), Self.random("weight", [outputs, inputs]), Self.random("bias", [outputs])
        )
        let residual = Self.random("residual", [rows, outputs])
        var single: [[Float]] = []
        onEveryBuild { label, threads in
            let layer = FusedLinear([(weight, bias)], precision: precision)
            let plain = Compute.$precision.withValue(precision) { x.linear(weight, bias: bias) }
            var results: [[Float]] = []
            for following in [FusedLinear.Following.nothing, .relu, .gelu, .geluTanh] {
                let expected = Self.followed(plain, by: following)
                let result = layer(x, then: following)
                let name = "\(label), \(precision), \(following)"
                expectClose(result, expected, relative: 2e-5, absolute: 2e-5, label: name)
                let sum = layer(x, then: following, adding: residual)
                expectClose(sum, expected + residual, relative: 2e-5, absolute: 2e-5, label: name + " and residual")
                results += [result.values, sum.values]
            }
            if threads == 1 { single = results }
            #expect(results == single, "\(label): the number of threads shows")
        }
    }

    @Test(
        "layers of one input stand one behind the other, with or without a bias", arguments: Compute.Precision.allCases)
    func severalLayers(precision: Compute.Precision) {
        let x = Self.random("x", [9, 40])
        let layers: [(weight: Tensor, bias: Tensor?)] = [
            (Self.random("a", [48, 40]), Self.random("b", [48])), (Self.random("c", [24, 40]), nil),
            (Self.random("d", [72, 40]), Self.random("e", [72])),
        ]
        let fused = FusedLinear(layers, precision: precision)
        #expect(fused.inputs == 40 && fused.outputs == 144)
        let result = fused(x)
        var column = 0
        for layer in layers {
            let expected = Compute.$precision.withValue(precision) { x.linear(layer.weight, bias: layer.bias) }
            let width = expected.shape[1]
            expectClose(result.columns(column..<column + width), expected, relative: 2e-5, absolute: 2e-5)
            column += width
        }
        #expect(fused(Tensor.zeros([0, 40])).shape == [0, 144])
    }

    @Test("a row's numbers do not depend on its company", arguments: Compute.Precision.allCases)
    func rows(precision: Compute.Precision) {
        let (x, weight) = (Self.random("x", [50, 80]), Self.random("weight", [96, 80]))
        let layer = FusedLinear([(weight, nil)], precision: precision)
        let all = layer(x, then: .gelu)
        for row in [0, 7, 49] { #expect(layer(x.rows([row]), then: .gelu).values == all.rows([row]).values) }
    }

    @Test("attention within rows of queries, keys and values equals that of three matrices")
    func attentionWithin() {
        let layout = AttentionLayout(lengths: [3, 1, 60, 17], isCausal: false)
        let (heads, width) = (3, 48)
        let parts = ["q", "k", "v"].map { Self.random($0, [81, width]) }
        let rows = Tensor.uninitialized([81, 3 * width]) { out in
            for row in 0..<81 {
                for (place, part) in parts.enumerated() {
                    (out + row * 3 * width + place * width).update(from: part.pointer + row * width, count: width)
                }
            }
        }
        onEveryBuild { label, _ in
            let expected = parts[0].attending(
                keys: parts[1], values: parts[2], layout: layout, heads: heads, keyHeads: heads)
            expectClose(rows.attendingWithin(layout: layout, heads: heads), expected, label: label)
        }
    }
}
