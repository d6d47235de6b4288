/// The 256 numbers from −1 or 0 to 1 that 8-bit codes stand for: the dynamic map of Dettmers et al. (2022, "8-bit optimizers via
/// block-wise quantization"), as `create_dynamic_map` of bitsandbytes makes it.
///
/// Each of the decades 10⁻⁷ to 10⁻⁶, …, 10⁻¹ to 1 has twice as many numbers as the one below it. They are the middles of equal parts
/// of the decade. 0 and 1 are added. So large numbers are exact to about 1 %, and small ones keep their order of magnitude.
///
/// `@unchecked Sendable`: nothing changes a map after `init`.
package final class DynamicMap: @unchecked Sendable {
    /// The map with numbers of both signs: 127 below 0 and 128 above.
    package static let signed = DynamicMap(isSigned: true)
    /// The map of numbers from 0 on, with twice as many in each decade.
    package static let unsigned = DynamicMap(isSigned: false)

    /// The number of codes, and of decades.
    private static let (size, decades) = (256, 7)

    /// The numbers in ascending order. A code is an index.
    package let values: [Float]
    /// For every code, the largest float that is not nearer to the next number than to that of the code; infinity for the last.
    package let bounds: [Float]
    /// The map for the kernels, which points to the memory of this object.
    package let table: Kernels.CodeMap
    private let floats: UnsafeMutablePointer<Float>
    private let starts: UnsafeMutablePointer<UInt8>

    private init(isSigned: Bool) {
        var numbers: [Double] = [0, 1]
        var decade = 1e-6
        for index in 0..<Self.decades {
            let count = 1 << (isSigned ? index : index + 1)
            for part in 0..<count {
                let number = decade * (0.1 + 0.9 * (Double(part) + 0.5) / Double(count))
                numbers += isSigned ? [number, -number] : [number]
            }
            decade *= 10
        }
        let values = numbers.map { Float($0) }.sorted()
        precondition(values.count == Self.size, "a map has \(Self.size) numbers, not \(values.count)")
        // half the sum of two floats of these sizes is exact in Double
        let bounds = zip(values, values.dropFirst()).map { Self.below((Double($0) + Double($1)) / 2) } + [.infinity]
        (self.values, self.bounds) = (values, bounds)
        floats = .allocate(capacity: 2 * Self.size)
        for (index, number) in (values + bounds).enumerated() { (floats + index).initialize(to: number) }
        let cells = Kernels.mapCells
        starts = .allocate(capacity: 2 * cells)
        for cell in 0..<cells {
            // the codes of the least number of the cell, above 0 and below
            (starts + cell).initialize(to: Self.code(nearest: Kernels.leastOfMapCell(cell), bounds))
            (starts + cells + cell).initialize(to: Self.code(nearest: -(Kernels.leastOfMapCell(cell + 1).nextDown), bounds))
        }
        table = Kernels.CodeMap(
            values: floats, bounds: floats + Self.size, starts: starts, zero: Self.code(nearest: 0, bounds))
    }

    deinit {
        floats.deallocate()
        starts.deallocate()
    }

    /// The largest float that is at most `number`.
    private static func below(_ number: Double) -> Float {
        let float = Float(number)
        return Double(float) > number ? float.nextDown : float
    }

    private static func code(nearest x: Float, _ bounds: [Float]) -> UInt8 {
        UInt8(bounds.firstIndex { x <= $0 } ?? bounds.count - 1)
    }

    /// The code of the number that is nearest to `x`; of two that are equally near, the lower one.
    package func code(nearest x: Float) -> UInt8 { Self.code(nearest: x, bounds) }
}
