/// A moment of an optimiser in 8 bits: a code of a `DynamicMap` for every number, and a scale for every block of 256 numbers.
///
/// A number is the map's number of its code times the block's scale, which is the largest absolute value of the block. Blocks run
/// over the numbers in row-major order; the last one may be shorter. Copies share memory until one of them is updated.
public struct MomentCodes {
    /// The shape of the parameter.
    public let shape: Shape
    /// A byte per number.
    private var codes: Storage
    /// A float per block.
    private var scales: Storage

    /// The numbers of a block.
    package static var block: Int { Kernels.codeBlock }

    /// The number of blocks, and of scales.
    package var blockCount: Int { Self.blocks(of: shape.count) }

    /// The number of blocks of `count` numbers.
    package static func blocks(of count: Int) -> Int { (count + block - 1) / block }

    /// The memory for `count` numbers, in bytes.
    package static func byteCount(of count: Int) -> Int {
        Allocator.capacity(for: count) + Allocator.capacity(for: 4 * blocks(of: count))
    }

    /// Zeros in a map.
    package init(zeros shape: Shape, in map: DynamicMap) {
        self.shape = shape
        codes = Storage(byteCount: shape.count)
        scales = Storage(byteCount: 4 * Self.blocks(of: shape.count))
        let zero = map.code(nearest: 0)
        codes.pointer.initializeMemory(as: UInt8.self, repeating: zero, count: shape.count)
        scales.pointer.initializeMemory(as: Float.self, repeating: 0, count: Self.blocks(of: shape.count))
    }

    /// Codes and scales that were stored; nil where their numbers do not fit the shape or a scale is below 0 or not finite.
    package init?(shape: Shape, codes stored: UnsafeRawBufferPointer, scales numbers: [Float]) {
        guard stored.count == shape.count, numbers.count == Self.blocks(of: shape.count),
            numbers.allSatisfy({ $0 >= 0 && $0.isFinite })
        else { return nil }
        self.shape = shape
        codes = Storage(byteCount: stored.count)
        scales = Storage(byteCount: 4 * numbers.count)
        if let base = stored.baseAddress { codes.pointer.copyMemory(from: base, byteCount: stored.count) }
        numbers.withUnsafeBytes { if let base = $0.baseAddress { scales.pointer.copyMemory(from: base, byteCount: $0.count) } }
    }

    /// Calls `body` with the codes.
    package func withCodes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        defer { withExtendedLifetime(codes) {} }
        return try body(UnsafeRawBufferPointer(start: codes.pointer, count: shape.count))
    }

    /// Calls `body` with the scales.
    package func withScales<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
        defer { withExtendedLifetime(scales) {} }
        let numbers = scales.pointer.assumingMemoryBound(to: Float.self)
        return try body(UnsafeBufferPointer(start: numbers, count: blockCount))
    }

    /// The numbers, in row-major order.
    package func values(in map: DynamicMap) -> [Float] {
        withScales { scales in
            withCodes { codes in codes.indices.map { map.values[Int(codes[$0])] * scales[$0 / MomentCodes.block] } }
        }
    }

    /// Whether two moments have the same codes and scales.
    package func isIdentical(to other: MomentCodes) -> Bool {
        shape == other.shape && withCodes { own in other.withCodes { own.elementsEqual($0) } }
            && withScales { own in other.withScales { own.elementsEqual($0) } }
    }

    /// Calls `body` with codes and scales to change; memory that another copy shares is copied first.
    mutating func update(_ body: (UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<Float>) -> Void) {
        if !isKnownUniquelyReferenced(&codes) { codes = Self.copy(codes) }
        if !isKnownUniquelyReferenced(&scales) { scales = Self.copy(scales) }
        scales.withFloats { body(codes.pointer.assumingMemoryBound(to: UInt8.self), $0) }
        withExtendedLifetime(codes) {}
    }

    private static func copy(_ storage: Storage) -> Storage {
        let copy = Storage(byteCount: storage.byteCount)
        copy.pointer.copyMemory(from: storage.pointer, byteCount: storage.byteCount)
        withExtendedLifetime(storage) {}
        return copy
    }
}
