import Tensor
import Testing
import _TestSupport

/// What a tape says of gradients that are whole: once for each parameter, in order, also across recomputed layers.
@Suite struct FinishedGradientTests {
    private static let names = ["a", "b", "c"]

    /// The gradients of layers that use some parameters one after another.
    /// - Parameters:
    ///   - uses: the name of each layer's parameter.
    ///   - recomputes: whether each layer is recomputed.
    ///   - finished: called with each parameter whose gradient is whole, and with all of them.
    private func run(
        _ uses: [String], recomputes: [Bool], finished: ((Parameter, [Parameter]) -> Void)? = nil
    ) -> [String: [Float]] {
        var random = Philox(seed: 4)
        let parameters = Self.names.map { Parameter($0, .normal([4, 4], standardDeviation: 0.5, using: &random)) }
        let tape = Tape(finished: finished.map { finished in { finished($0, parameters) } })
        var x = Tensor.normal([3, 4], standardDeviation: 1, using: &random)
        for (name, isRecomputed) in zip(uses, recomputes) {
            guard let weight = parameters.first(where: { $0.name == name }) else { continue }
            func layer(_ x: Tensor, _ tape: Tape?) -> Tensor { x.linear(weight.on(tape)).squared() }
            x = isRecomputed ? x.recomputed(on: tape, layer) : layer(x, tape)
        }
        tape.backward(from: x.sum())
        return Dictionary(
            uniqueKeysWithValues: parameters.compactMap { parameter in parameter.gradient.map { (parameter.name, $0.values) } })
    }

    private static let patterns = (0..<8).map { number in (0..<3).map { number >> $0 & 1 == 1 } }

    @Test(
        "each gradient is whole when it is said to be, and is needed no more",
        arguments: [(["a", "b", "c"], ["c", "b", "a"]), (["a", "b", "a"], ["b", "a"]), (["a", "a", "a"], ["a"])], patterns)
    func whole(layers: (uses: [String], order: [String]), recomputes: [Bool]) {
        let expected = run(layers.uses, recomputes: [false, false, false])
        #expect(Set(expected.keys) == Set(layers.uses))
        var (order, found): ([String], [String: [Float]]) = ([], [:])
        var most = 0
        let left = run(layers.uses, recomputes: recomputes) { parameter, all in
            order.append(parameter.name)
            found[parameter.name] = parameter.gradient?.values
            most = max(most, all.count { $0.gradient != nil })
            // neither the value nor the gradient is read again
            parameter.value.update { $0.update(repeating: .nan) }
            parameter.clearGradient()
        }
        #expect(order == layers.order)
        #expect(found == expected)
        #expect(left.isEmpty)
        // a parameter that is used again later keeps its part of the gradient meanwhile
        #expect(most <= (layers.order == ["b", "a"] ? 2 : 1))
    }

    @Test("parameters that are frozen or not used are left out")
    func leftOut() {
        let (frozen, trained) = (Parameter("f", .filled(1, [2]), isTrainable: false), Parameter("t", .filled(2, [2])))
        var names: [String] = []
        let tape = Tape { names.append($0.name) }
        tape.backward(from: (frozen.on(tape) * trained.on(tape)).sum())
        #expect(names == ["t"] && trained.gradient?.values == [1, 1] && frozen.gradient == nil)
    }
}
