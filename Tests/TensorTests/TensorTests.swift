import Tensor
import Testing
import _TestSupport

@Suite struct ShapeTests {
    @Test func countsRowsAndWidth() {
        let shape: Shape = [2, 3, 4]
        #expect((shape.rank, shape.count, shape.rows, shape.width, shape[1]) == (3, 24, 6, 4, 3))
        #expect(shape.dimensions == [2, 3, 4] && shape == Shape([2, 3, 4]) && shape != [6, 4])
        #expect(shape.description == "[2, 3, 4]")
        let scalar: Shape = []
        #expect((scalar.rank, scalar.count, scalar.rows, scalar.width) == (0, 1, 1, 1))
        let empty: Shape = [0, 5]
        #expect((empty.count, empty.rows, empty.width) == (0, 0, 5))
    }
}

@Suite struct TensorTests {
    private let x = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])

    @Test func holdsNumbersRowByRow() {
        #expect(x.values == [1, 2, 3, 4, 5, 6] && x.shape == [2, 3] && x.count == 6)
        #expect(Tensor(7).item == 7 && Tensor(7).shape == [])
        #expect(Tensor.zeros([2, 2]).values == [0, 0, 0, 0] && Tensor.filled(2.5, [3]).values == [2.5, 2.5, 2.5])
        #expect(Tensor.zeros([0, 3]).values == [] && Tensor([], shape: [0]).values == [])
        #expect(x.withUnsafeBufferPointer { $0.reduce(0, +) } == 21)
        #expect(x.description == "Tensor[2, 3] [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]")
        #expect(Tensor.zeros([9]).description.hasSuffix("0.0]…"))
    }

    @Test func copiesAreIndependent() {
        var copy = x
        copy.update { $0[0] = 9 }
        #expect(x.values[0] == 1 && copy.values[0] == 9)
        let reshaped = copy.reshaped([6])
        copy.update { $0[1] = 9 }
        #expect(reshaped.values == [9, 2, 3, 4, 5, 6] && copy.values[1] == 9)
        let address = copy.storage.pointer
        copy.update { $0[2] = 9 }
        #expect(copy.storage.pointer == address, "a tensor of its own is changed where it is")
    }

    @Test func aViewIsCopiedBeforeItIsChanged() {
        final class Owner {
            let bytes = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
            init() { bytes.initializeMemory(as: Float.self, repeating: 3, count: 16) }
            deinit { bytes.deallocate() }
        }
        let owner = Owner()
        var view = Tensor(shape: [4], storage: Storage(viewing: owner.bytes, byteCount: 16, owner: owner))
        #expect(view.values == [3, 3, 3, 3])
        view.update { $0[0] = 1 }
        #expect(view.values == [1, 3, 3, 3])
        #expect(owner.bytes.load(as: Float.self) == 3)
    }

    @Test func aViewKeepsItsOwner() {
        final class Owner {}
        weak var owner: Owner?
        let bytes = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
        defer { bytes.deallocate() }
        var view: Tensor? = {
            let strong = Owner()
            owner = strong
            return Tensor(shape: [1], storage: Storage(viewing: bytes, byteCount: 4, owner: strong))
        }()
        #expect(owner != nil && view != nil)
        view = nil
        #expect(owner == nil)
    }

    @Test func rowsAndStacking() {
        #expect(x.rows([1, 1, 0]).values == [4, 5, 6, 4, 5, 6, 1, 2, 3])
        #expect(x.rows(1..<2).values == [4, 5, 6] && x.rows(0..<0).shape == [0, 3])
        #expect(Tensor.stacked([x, x.rows([0])]).values == [1, 2, 3, 4, 5, 6, 1, 2, 3])
        #expect(Tensor.stacked([Tensor.zeros([0, 3]), x]).shape == [2, 3])
    }

    @Test(arguments: [0, 1, 7, 16, 17, 33, 100, 70_001]) func sumsAndCounts(count: Int) {
        let values = OpCase.Input.normal("x", [count]).values
        onEveryBuild { label, _ in
            let tensor = Tensor(values, shape: [count])
            expectClose(
                tensor.sumOfSquares(), values.reduce(0) { $0 + Double($1) * Double($1) }, relative: 1e-6, label: label)
            var broken = tensor
            #expect(broken.nonFiniteCount == 0, "\(label)")
            for (index, bad) in [Float.nan, .infinity, -.infinity, -.nan, .signalingNaN].enumerated() where index < count {
                broken.update { $0[count - 1 - index] = bad }
                #expect(broken.nonFiniteCount == index + 1, "\(label)")
            }
            broken.update { $0.update(repeating: .infinity) }
            #expect(broken.nonFiniteCount == count, "\(label)")
            broken.update { $0.update(repeating: .greatestFiniteMagnitude) }
            #expect(broken.nonFiniteCount == 0, "\(label)")
        }
    }

    @Test func logitsMaskIdsThatHaveNoToken() {
        let hidden = OpCase.Input.normal("hidden", [3, 5]).tensor
        let weight = OpCase.Input.normal("weight", [7, 5]).tensor
        let all = hidden.logits(weight)
        expectClose(all, hidden.linear(weight))
        let masked = hidden.logits(weight, validTokens: 4)
        for row in 0..<3 {
            #expect(Array(masked.values[row * 7..<row * 7 + 4]) == Array(all.values[row * 7..<row * 7 + 4]))
            #expect(masked.values[row * 7 + 4..<row * 7 + 7].allSatisfy { $0 == -.infinity })
        }
    }
}
