import Tensor
import Testing
import _TestSupport

/// What is recorded, where gradients go, and how they add up.
@Suite struct TapeTests {
    private let x = Tensor([1, -2, 3], shape: [3])

    @Test func gradientsOfTwoTapesAddUp() {
        let parameter = Parameter("w", x)
        for factor: Float in [2, 5] {
            let tape = Tape()
            tape.backward(from: parameter.on(tape).scaled(by: factor).sum())
        }
        #expect(parameter.gradient?.values == [7, 7, 7])
        parameter.clearGradient()
        #expect(parameter.gradient == nil)
    }

    @Test func gradientsOfOneTapeDoNotChangeThoseAlreadyRead() {
        let parameter = Parameter("w", x)
        func step() {
            let tape = Tape()
            tape.backward(from: parameter.on(tape).sum())
        }
        step()
        let first = parameter.gradient
        step()
        #expect(first?.values == [1, 1, 1])
        #expect(parameter.gradient?.values == [2, 2, 2])
    }

    @Test func aParameterUsedTwiceIsWatchedOnce() {
        let parameter = Parameter("w", x)
        let tape = Tape()
        let product = parameter.on(tape) * parameter.on(tape).scaled(by: 3)
        #expect(tape.count == 3)  // the parameter, the scaling, the product
        tape.backward(from: product.sum())
        #expect(parameter.gradient?.values == [6, -12, 18])
    }

    @Test func aTensorPlusItselfGetsTwoGradients() {
        for (sum, expected) in [({ $0 + $0 }, [2, 2, 2]), ({ $0 - $0 }, [0, 0, 0]), ({ $0 * $0 }, [2, -4, 6])]
            as [((Tensor) -> Tensor, [Float])]
        {
            let tape = Tape()
            let variable = tape.variable(x)
            #expect(tape.backward(from: sum(variable).sum(), variables: [variable])[0].values == expected)
            let second = Tape()
            let parameter = Parameter("w", x)
            second.backward(from: sum(parameter.on(second)).sum())
            #expect(parameter.gradient?.values == expected)
        }
        // the two inputs of + share the gradient's memory until one of them is added to
        let tape = Tape()
        let (a, b) = (tape.variable(x), tape.variable(x))
        let sum = a + b
        let gradients = tape.backward(from: (sum + a).sum(), variables: [a, b])
        #expect(gradients.map(\.values) == [[2, 2, 2], [1, 1, 1]])
    }

    @Test func whatNeedsNoGradientIsNotRecorded() {
        let frozen = Parameter("frozen", x, isTrainable: false)
        let tape = Tape()
        let constant = (frozen.on(tape) * frozen.on(tape)).exponentiated().sum()
        #expect(tape.count == 0)
        let trained = Parameter("trained", x)
        let mixed = (frozen.on(tape) * trained.on(tape)).sum()
        #expect(tape.count == 3)
        tape.backward(from: [(mixed, Tensor(1)), (constant, Tensor(1))])
        #expect(frozen.gradient == nil)
        #expect(trained.gradient?.values == x.values)
        #expect(trained.on(nil).node == nil)
        // thawed, it is watched
        frozen.isTrainable = true
        let second = Tape()
        second.backward(from: frozen.on(second).sum())
        #expect(frozen.gradient?.values == [1, 1, 1])
    }

    @Test func detachedTensorsPassNoGradient() {
        let parameter = Parameter("w", x)
        let tape = Tape()
        let watched = parameter.on(tape)
        tape.backward(from: (watched * watched.detached).sum())
        #expect(parameter.gradient?.values == x.values)
        let second = Tape()
        second.backward(from: parameter.on(second).detached.sum())
        #expect(second.count == 1)
        #expect(parameter.gradient?.values == x.values)
    }

    @Test func variablesReceiveTheirGradients() {
        let tape = Tape()
        let (a, b, unused) = (tape.variable(x), tape.variable(x), tape.variable(Tensor([9, 9], shape: [2])))
        let between = a.scaled(by: 2)
        let loss = (between * b).sum() + between.sum()
        let gradients = tape.backward(from: loss, scale: 10, variables: [b, unused, a, between, x, loss])
        #expect(
            gradients.map(\.values) == [
                [20, -40, 60], [0, 0], [40, -20, 80], [20, -10, 40], [0, 0, 0], [10],
            ])
        #expect(gradients.map(\.shape) == [[3], [2], [3], [3], [3], []])
    }

    @Test func severalOutputsAddUp() {
        let tape = Tape()
        let a = tape.variable(x)
        let (twice, square) = (a.scaled(by: 2), a.squared())
        let gradients = tape.backward(
            from: [(twice, Tensor([1, 0, 0], shape: [3])), (square, Tensor([0, 1, 0], shape: [3])), (a, Tensor([0, 0, 7], shape: [3]))],
            variables: [a])
        #expect(gradients[0].values == [2, -4, 7])
    }

    @Test func aChainOfManyOperations() {
        let tape = Tape()
        let start = tape.variable(Tensor(1))
        var y = start
        for _ in 0..<1_000 { y = y + y.scaled(by: 0.001) }
        let gradient = tape.backward(from: y, variables: [start])[0]
        expectClose(gradient.item, y.item, relative: 1e-5)
    }

    @Test func theGradientOfTheInputIsUntouched() {
        let given = Tensor([1, 2, 3], shape: [3])
        let parameter = Parameter("w", x)
        let tape = Tape()
        let watched = parameter.on(tape)
        tape.backward(from: [(watched, given), (watched, given)])
        #expect(given.values == [1, 2, 3])
        #expect(parameter.gradient?.values == [2, 4, 6])
    }

    @Test func aUsedTapeHasLetGoOfWhatItSaved() {
        let tape = Tape()
        let variable = tape.variable(x)
        weak var saved: Storage?
        let loss: Tensor
        do {
            let square = variable.exponentiated()
            saved = square.storage
            loss = square.sum()
        }
        #expect(saved != nil)
        tape.backward(from: loss)
        #expect(saved == nil)
    }

    @Test func tiesOfMinimumAndMaximumGoToTheFirst() {
        let tape = Tape()
        let (a, b) = (tape.variable(x), tape.variable(Tensor([1, 5, 0], shape: [3])))
        let gradients = tape.backward(from: (Tensor.minimum(a, b) + Tensor.maximum(a, b).scaled(by: 3)).sum(), variables: [a, b])
        #expect(gradients.map(\.values) == [[4, 1, 3], [0, 3, 1]])
    }

    @Test func clampPassesGradientsAtItsBounds() {
        let tape = Tape()
        let a = tape.variable(Tensor([-1, -0.5, 0, 0.5, 1], shape: [5]))
        #expect(tape.backward(from: a.clamped(to: -0.5...0.5).sum(), variables: [a])[0].values == [0, 1, 1, 1, 0])
    }
}
