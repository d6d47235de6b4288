public import Foundation

extension NumpyArray {
    /// Creates an array in memory.
    /// - Precondition: The number of elements matches the shape.
    public init(shape: [Int], elements: Elements) {
        precondition(shape.reduce(1, *) == elements.reals.count, "\(elements.reals.count) elements do not fit the shape \(shape)")
        self.shape = shape
        self.elements = elements
    }

    /// Writes the array as numpy's `float64`, in version 1 of the `.npy` format.
    /// - Throws: ``FileError``.
    public func write(to url: URL) throws {
        let extents = shape.map { "\($0)," }.joined(separator: " ")
        var header = "{'descr': '<f8', 'fortran_order': False, 'shape': (\(extents)), }"
        // the data start at a multiple of 64 bytes
        header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
        let length = UInt16(header.utf8.count)
        var bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(truncatingIfNeeded: length), UInt8(length >> 8)]
        bytes += header.utf8
        for number in elements.reals {
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: number.bitPattern >> UInt64(shift)))
            }
        }
        try AtomicFile.write(bytes, to: url)
    }
}
