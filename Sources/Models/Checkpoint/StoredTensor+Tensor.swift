public import Formats
public import Tensor

extension StoredTensor {
    /// The elements as a tensor of 32-bit floats.
    ///
    /// F32 tensors and matrices in BF16, F16 or Q8_0 blocks remain in the mapped file until they are trained: the system reads their
    /// pages on access and may drop them again. Everything else, including other quantised blocks, is converted into newly
    /// allocated memory; BF16 and F16 matrices that must be copied, and Q8_0 matrices whose rows are in another order, keep their
    /// format there.
    /// - Parameter keepsPacking: whether products in bf16 precision keep packed copies of a matrix in Q8_0 blocks; see
    ///   ``LanguageModel/load(_:base:usesTanh:families:keepsPacking:note:)``. It has no effect on other tensors.
    /// - Throws: `CheckpointError.wrongElementType` if the elements are integers; `.notFinite` for NaN and infinity, or `.badTensor`
    ///   for such a scale of Q8_0 blocks.
    public func tensor(keepsPacking: Bool = false) throws -> Tensor {
        if let narrow = try mappedMatrix() ?? blockMatrix(keepsPacking: keepsPacking) { return Tensor(shape: Shape(shape), narrow: narrow) }
        let shape = Shape(shape)
        if elementType == .float32, let storage = mappedStorage() {
            try checkFinite(UnsafeBufferPointer(start: storage.pointer.assumingMemoryBound(to: Float.self), count: count))
            storage.forget()
            return Tensor(shape: shape, storage: storage)
        }
        if let format = matrixFormat, !isContiguous { return Tensor(shape: shape, narrow: try copiedMatrix(format)) }
        let storage = Storage(byteCount: count * MemoryLayout<Float>.size)
        let elements = UnsafeMutableBufferPointer(
            start: storage.pointer.assumingMemoryBound(to: Float.self), count: count)
        try copyFloats(to: elements)
        return Tensor(shape: shape, storage: storage)
    }

    /// The transpose of a matrix [rows, columns], as a tensor [columns, rows]. A matrix in BF16 or F16 keeps its format, in newly
    /// allocated memory.
    ///
    /// - Throws: the same errors as ``tensor(keepsPacking:)``.
    func transposedTensor(keepsPacking: Bool = false) throws -> Tensor {
        if let original { return try original.named(name).tensor(keepsPacking: keepsPacking) }
        guard let narrow = try mappedMatrix() else { return try tensor().transposed() }
        let (rows, columns) = (shape[0], shape[1])
        let numbers = narrow.bytes.assumingMemoryBound(to: UInt16.self)
        let turned = NarrowElements(narrow.format, count: count) { out in
            for first in stride(from: 0, to: rows, by: 64) {
                for column in 0..<columns {
                    for row in first..<min(rows, first + 64) {
                        out[column * rows + row] = numbers[row * columns + column]
                    }
                }
            }
        }
        if let (file, range) = mapped { file.releasePages(in: range) }
        withExtendedLifetime(narrow) {}
        return Tensor(shape: [columns, rows], narrow: turned)
    }

    /// The format of a matrix that is not widened when it is read: BF16 or F16; nil for everything else.
    private var matrixFormat: NumberFormat? {
        guard shape.count == 2, count > 0 else { return nil }
        return elementType == .bfloat16 ? .bf16 : elementType == .float16 ? .f16 : nil
    }

    /// A view of a matrix in BF16 or F16 in the mapped file; nil if it has to be converted or moved.
    private func mappedMatrix() throws -> NarrowElements? {
        guard let format = matrixFormat, let (file, range) = mapped, let start = file.bytes[range].baseAddressOfSlice,
            UInt(bitPattern: start) % 2 == 0
        else { return nil }
        try checkFinite()
        file.releasePages(in: range)
        return NarrowElements(format, start, count: count, owner: file) { [file, range] in file.releasePages(in: range) }
    }

    /// A copy of a matrix in BF16 or F16, little-endian.
    private func copiedMatrix(_ format: NumberFormat) throws -> NarrowElements {
        try withUnsafeBytes { bytes in
            try checkFinite(halves: bytes)
            return NarrowElements(format, count: count) { out in
                if let from = bytes.baseAddress { UnsafeMutableRawPointer(out).copyMemory(from: from, byteCount: bytes.count) }
            }
        }
    }

    /// A read-only storage of the mapped bytes, which keeps the file open; nil if the elements must be copied because they are
    /// not contiguous or not aligned.
    package func mappedStorage() -> Storage? {
        guard count > 0, let (file, range) = mapped, let start = file.bytes[range].baseAddressOfSlice,
            UInt(bitPattern: start) % UInt(elementType.width) == 0
        else { return nil }
        return Storage(viewing: start, byteCount: byteCount, owner: file)
    }
}

extension MappedFile: ReadableAgain {
    /// Lets the system drop the pages within the given bytes of the file.
    package func forget(_ pointer: UnsafeRawPointer, byteCount: Int) {
        guard let start = bytes.baseAddress else { return }
        let first = pointer - start
        releasePages(in: first..<first + byteCount)
    }
}

extension Slice<UnsafeRawBufferPointer> {
    /// The address of the first byte; nil if there is no memory.
    fileprivate var baseAddressOfSlice: UnsafeRawPointer? { UnsafeRawBufferPointer(rebasing: self).baseAddress }
}

extension WeightStore: WeightSource {
    /// Reads a stored tensor as a parameter. A missing tensor is an error, even if it has a default initialisation.
    ///
    /// - Throws: `CheckpointError.missingTensor`, `.wrongShape`, `.wrongElementType`, `.notFinite` or `.badTensor`.
    public func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight, transposed: Bool) throws -> Parameter {
        try parameter(name, shape, transposed: transposed, storedAs: name)
    }

    /// Reads the tensor that is stored as `stored`, as a parameter named `name`.
    func parameter(
        _ name: String, _ shape: Shape, transposed: Bool, storedAs stored: String, keepsPacking: Bool = false
    ) throws -> Parameter {
        let extents = shape.dimensions
        let tensor = try tensor(stored, shape: transposed ? extents.reversed() : extents)
        return Parameter(
            name, try transposed ? tensor.transposedTensor(keepsPacking: keepsPacking) : tensor.tensor(keepsPacking: keepsPacking))
    }
}

extension Tensor {
    /// The transpose of a matrix [R, C]: [C, R]. No gradient flows through it.
    package func transposed() -> Tensor {
        precondition(shape.rank == 2, "only a matrix can be transposed, not \(shape)")
        let (rows, columns, tile) = (shape[0], shape[1], 32)
        return withUnsafeBufferPointer { elements in
            Tensor.uninitialized([columns, rows]) { out in
                // by tiles, so that neither side is always accessed with a large stride
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

extension NumberFormat {
    /// The type of the same elements in a checkpoint; nil if safetensors files have none.
    var elementType: ElementType? {
        switch self {
        case .f32: .float32
        case .bf16: .bfloat16
        case .f16: .float16
        case .q8: nil
        }
    }
}

extension WritableTensor {
    /// Creates a tensor to be stored under a name as F32, BF16 or F16. Elements that are in this type in memory are written as they
    /// are, others a part at a time. For a weight that is held in a narrower format than the file that it was read from, the file's
    /// numbers are written.
    public init(_ name: String, _ tensor: Tensor, as elementType: ElementType = .float32) {
        let tensor = tensor.unrounded
        let shape = tensor.shape.dimensions
        if let narrow = tensor.storage.narrow, narrow.format.elementType == elementType {
            self.init(name, shape: shape, elementType: elementType) { sink in
                defer { tensor.storage.forget() }
                try sink(UnsafeRawBufferPointer(start: narrow.bytes, count: narrow.format.byteCount(of: tensor.count)))
            }
            return
        }
        self.init(name, shape: shape, as: elementType) { (body: (UnsafeBufferPointer<Float>) throws -> Void) in
            defer { tensor.storage.forget() }
            try tensor.forEachPart(body)
        }
    }

    /// Creates a tensor to be stored under the name of a parameter as F32, BF16 or F16.
    public init(_ parameter: Parameter, as elementType: ElementType = .float32) {
        self.init(parameter.name, parameter.value, as: elementType)
    }
}
