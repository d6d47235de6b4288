/// Arrays of numbers as bytes, for an exchange among ranks. All ranks use the same byte order.
package struct ArrayBytes {
    /// All arrays, each after its number of elements.
    package private(set) var bytes: [UInt8] = []
    private var position = 0

    /// No arrays.
    package init() {}

    /// The arrays that another rank has sent.
    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Appends an array.
    package mutating func append<Element: BitwiseCopyable>(_ array: [Element]) {
        withUnsafeBytes(of: array.count) { bytes.append(contentsOf: $0) }
        array.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    /// The next array; nil if the bytes do not hold it.
    package mutating func next<Element: BitwiseCopyable>(_ type: Element.Type = Element.self) -> [Element]? {
        let begin = position + MemoryLayout<Int>.size
        guard begin <= bytes.count else { return nil }
        let count = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: Int.self) }
        let (length, overflows) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        guard count >= 0, !overflows, length <= bytes.count - begin else { return nil }
        position = begin + length
        return [Element](unsafeUninitializedCapacity: count) { memory, filled in
            bytes.withUnsafeBytes { all in
                UnsafeMutableRawBufferPointer(memory).copyMemory(from: UnsafeRawBufferPointer(rebasing: all[begin..<position]))
            }
            filled = count
        }
    }
}
