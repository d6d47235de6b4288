public import Formats
public import Tensor

extension StoredTensor {
    /// The elements as a tensor of 32-bit floats.
    ///
    /// A matrix of BF16 and anything of F32 stay in the mapped file until they are trained: the system reads them when they are touched
    /// and may drop them again. All else is converted into memory of its own, quantised blocks too; a matrix of BF16 stays in BF16 there.
    /// - Throws: `CheckpointError.wrongElementType` when the elements are integers; `.notFinite` for NaN and
    ///   infinities.
    public func tensor() throws -> Tensor {
        if let narrow = try mappedMatrix() { return Tensor(shape: Shape(shape), narrow: narrow) }
        let shape = Shape(shape)
        if elementType == .float32, let storage = mappedStorage() {
            try Self.checkFinite(
                UnsafeBufferPointer(start: storage.pointer.assumingMemoryBound(to: Float.self), count: count), name: name)
            storage.forget()
            return Tensor(shape: shape, storage: storage)
        }
        if elementType == .bfloat16, self.shape.count == 2, count > 0, !isContiguous {
            return Tensor(shape: shape, narrow: try copiedMatrix())
        }
        let storage = Storage(byteCount: count * MemoryLayout<Float>.size)
        let elements = UnsafeMutableBufferPointer(
            start: storage.pointer.assumingMemoryBound(to: Float.self), count: count)
        try copyFloats(to: elements)
        return Tensor(shape: shape, storage: storage)
    }

    /// A matrix [rows, columns] as a tensor [columns, rows]. One of BF16 stays in BF16, in memory of its own.
    ///
    /// - Throws: as ``tensor()``.
    func transposedTensor() throws -> Tensor {
        if let original { return try original.named(name).tensor() }
        guard let narrow = try mappedMatrix() else { return try tensor().transposed() }
        let (rows, columns) = (shape[0], shape[1])
        let turned = NarrowElements(count: count) { out in
            for first in stride(from: 0, to: rows, by: 64) {
                for column in 0..<columns {
                    for row in first..<min(rows, first + 64) {
                        out[column * rows + row] = narrow.pointer[row * columns + column]
                    }
                }
            }
        }
        if let (file, range) = mapped { file.releasePages(in: range) }
        return Tensor(shape: [columns, rows], narrow: turned)
    }

    /// The elements of a BF16 matrix as they lie in the file; nil for what has to be converted or moved.
    private func mappedMatrix() throws -> NarrowElements? {
        guard elementType == .bfloat16, shape.count == 2, count > 0, let (file, range) = mapped,
            let start = file.bytes[range].baseAddressOfSlice, UInt(bitPattern: start) % 2 == 0
        else { return nil }
        try checkFinite()
        return NarrowElements(start.assumingMemoryBound(to: UInt16.self), count: count, owner: file) { [file, range] in
            file.releasePages(in: range)
        }
    }

    /// The elements of a BF16 matrix in memory of their own, little-endian.
    private func copiedMatrix() throws -> NarrowElements {
        try withUnsafeBytes { bytes in
            try Self.checkFinite(bfloat16: bytes, name: name)
            return NarrowElements(count: count) { out in
                if let from = bytes.baseAddress { UnsafeMutableRawPointer(out).copyMemory(from: from, byteCount: bytes.count) }
            }
        }
    }

    /// The mapped bytes as read-only storage that keeps the file open; nil when the elements are not in order without
    /// gaps or not aligned to their width, and have to be copied.
    package func mappedStorage() -> Storage? {
        guard count > 0, let (file, range) = mapped, let start = file.bytes[range].baseAddressOfSlice,
            UInt(bitPattern: start) % UInt(elementType.width) == 0
        else { return nil }
        return Storage(viewing: start, byteCount: byteCount, owner: file)
    }
}

extension MappedFile: ReadableAgain {
    package func forget(_ pointer: UnsafeRawPointer, byteCount: Int) {
        guard let start = bytes.baseAddress else { return }
        let first = pointer - start
        releasePages(in: first..<first + byteCount)
    }
}

extension Slice<UnsafeRawBufferPointer> {
    /// The address of the first byte, nil for memory that is not there.
    fileprivate var baseAddressOfSlice: UnsafeRawPointer? { UnsafeRawBufferPointer(rebasing: self).baseAddress }
}

extension WeightStore: WeightSource {
    /// The stored tensor as a parameter; a missing one is an error, whatever it would be when made anew.
    ///
    /// - Throws: `CheckpointError.missingTensor`, `.wrongShape`, `.wrongElementType`, `.notFinite`.
    public func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight, transposed: Bool) throws -> Parameter {
        try parameter(name, shape, transposed: transposed, storedAs: name)
    }

    /// The tensor that is stored as `stored` as a parameter named `name`.
    func parameter(_ name: String, _ shape: Shape, transposed: Bool, storedAs stored: String) throws -> Parameter {
        let extents = shape.dimensions
        let tensor = try tensor(stored, shape: transposed ? extents.reversed() : extents)
        return Parameter(name, try transposed ? tensor.transposedTensor() : tensor.tensor())
    }
}

extension Tensor {
    /// A matrix [R, C] with its two dimensions exchanged: [C, R]. No gradient flows through it.
    package func transposed() -> Tensor {
        precondition(shape.rank == 2, "only a matrix is transposed, not \(shape)")
        let (rows, columns, tile) = (shape[0], shape[1], 32)
        return withUnsafeBufferPointer { elements in
            Tensor.uninitialized([columns, rows]) { out in
                // by tiles, so that neither side is read or written with a large stride all the way
                Compute.forChunks(columns, grain: tile) { range in
                    for first in stride(from: 0, to: rows, by: tile) {
                        for column in range {
                            for row in first..<min(rows, first + tile) {
                                out[column * rows + row] = elements[row * columns + column]
                            }
                        }
                    }
                }
            }
        }
    }
}

extension WritableTensor {
    /// A tensor under a name, stored as F32, BF16 or F16.
    public init(_ name: String, _ tensor: Tensor, as elementType: ElementType = .float32) {
        self.init(name, shape: tensor.shape.dimensions, as: elementType) { body in
            defer { tensor.storage.forget() }
            return try tensor.withUnsafeBufferPointer(body)
        }
    }

    /// A parameter under its own name, stored as F32, BF16 or F16.
    public init(_ parameter: Parameter, as elementType: ElementType = .float32) {
        self.init(parameter.name, parameter.value, as: elementType)
    }
}
