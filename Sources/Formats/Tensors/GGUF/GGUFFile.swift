public import Foundation

/// A GGUF file, mapped into memory. Opening it reads only the header: the metadata and the locations of the tensors.
///
/// Layout: the magic `GGUF`; the version; the numbers of tensors and of metadata pairs; the metadata; the names, dimensions,
/// types and offsets of the tensors; then the data, from the next multiple of `general.alignment`. Numbers are little-endian.
/// Source: the description of the format in the ggml repository (docs/gguf.md).
public struct GGUFFile: Sendable {
    /// The location of a tensor in the file.
    public struct Entry: Sendable {
        /// The tensor's name.
        public let name: String
        /// The storage type of its elements.
        public let type: GGMLType
        /// The dimensions, outermost first. The file stores them in the opposite order.
        public let shape: [Int]
        /// The tensor's byte range in the file.
        package let range: Range<Int>
    }

    /// The version of the format, 2 or 3. Both are read in the same way.
    public let version: Int
    /// The metadata by key, such as `general.architecture` or `tokenizer.ggml.tokens`.
    public let metadata: [String: GGUFValue]
    /// The tensors in the order of the header.
    public let entries: [Entry]
    /// The mapped file.
    package let file: MappedFile

    /// The path of the file.
    public var path: String { file.path }

    /// Opens a file and validates its header: lengths, counts, types, dimensions and offsets.
    ///
    /// - Throws: ``CheckpointError``, with the file's name and what is wrong with it.
    public init(_ url: URL) throws {
        file = try MappedFile(url)
        try file.checkIsNoPointerFile()
        var scanner = GGUFScanner(file)
        version = try Self.version(&scanner)
        let tensors = try scanner.count("tensors", width: 24, limit: GGUFScanner.countLimit)
        let pairs = try scanner.count("metadata pairs", width: 13, limit: GGUFScanner.countLimit)
        var metadata: [String: GGUFValue] = [:]
        for _ in 0..<pairs {
            let place = scanner.offset
            let key = try scanner.name("a metadata key")
            guard metadata.updateValue(try scanner.value(OneLine.escaped(key)), forKey: key) == nil else {
                throw scanner.fault("the key \(OneLine.escaped(key)) appears twice", at: place)
            }
        }
        self.metadata = metadata
        entries = try Self.entries(tensors, &scanner, alignment: Self.alignment(metadata, file: file.path))
    }

    /// The tensors in the order of the header. Quantised tensors read as 32-bit floats.
    public var tensors: [StoredTensor] {
        entries.map { entry in
            guard let type = entry.type.elementType else {
                return StoredTensor(
                    name: entry.name, elementType: .float32, shape: entry.shape, contents: .blocks(file, entry.range, entry.type))
            }
            return StoredTensor(
                name: entry.name, elementType: type, shape: entry.shape, strides: nil, file: file, range: entry.range)
        }
    }

    /// Whether a file starts with GGUF's magic bytes; false if it cannot be read.
    public static func isGGUF(_ url: URL) -> Bool {
        (try? MappedFile(url)).map { $0.bytes.starts(with: "GGUF".utf8) } ?? false
    }

    private static func version(_ scanner: inout GGUFScanner) throws -> Int {
        guard scanner.file.bytes.starts(with: "GGUF".utf8) else {
            throw CheckpointError.badFormat(file: scanner.file.path, reason: "this is not a GGUF file: it does not begin with GGUF")
        }
        _ = try scanner.number(UInt32.self, "the magic number")
        let version = try scanner.number(UInt32.self, "the version")
        switch version {
        case 2, 3: return Int(version)
        case 1:
            throw CheckpointError.badFormat(
                file: scanner.file.path, reason: "GGUF version 1 is not supported; convert the model to version 2 or 3"
            )
        case _ where 1...3 ~= version.byteSwapped:
            throw CheckpointError.badFormat(
                file: scanner.file.path,
                reason: "big-endian GGUF files are not supported; convert the file to little-endian")
        default:
            throw CheckpointError.badFormat(
                file: scanner.file.path, reason: "GGUF version \(version) is unknown; versions 2 and 3 are supported")
        }
    }

    private static func alignment(_ metadata: [String: GGUFValue], file: String) throws -> Int {
        guard let value = metadata["general.alignment"] else { return 32 }
        guard let alignment = value.int, alignment >= 1, alignment <= 1 << 20, alignment.nonzeroBitCount == 1 else {
            let shown = value.int.map(String.init) ?? value.kind
            throw CheckpointError.badFormat(file: file, reason: "general.alignment is \(shown); expected a power of 2 up to 1048576")
        }
        return alignment
    }

    // MARK: Tensors

    /// A tensor as the header describes it, with an offset relative to the start of the data.
    private struct Claim {
        var name: String
        var type: GGMLType
        var shape: [Int]
        var byteCount: Int
        var offset: UInt64
    }

    private static func entries(_ count: Int, _ scanner: inout GGUFScanner, alignment: Int) throws -> [Entry] {
        var claims: [Claim] = []
        var names: Set<String> = []
        claims.reserveCapacity(count)
        for _ in 0..<count {
            let claim = try claim(&scanner)
            guard names.insert(claim.name).inserted else {
                throw CheckpointError.duplicateTensor(name: claim.name, file: scanner.file.path)
            }
            claims.append(claim)
        }
        let (file, size) = (scanner.file.path, scanner.file.bytes.count)
        let start = (scanner.offset + alignment - 1) / alignment * alignment
        let room = max(0, size - start)
        let entries = try claims.map { claim in
            let end = claim.offset.addingReportingOverflow(UInt64(claim.byteCount))
            guard !end.overflow, end.partialValue <= UInt64(room) else {
                throw CheckpointError.outOfRange(
                    file: file, name: claim.name, begin: Int(clamping: claim.offset),
                    end: end.overflow ? .max : Int(clamping: end.partialValue), size: room)
            }
            guard claim.offset % UInt64(alignment) == 0 else {
                throw CheckpointError.badTensor(
                    file: file, name: claim.name,
                    reason: "has the offset \(claim.offset), which is not a multiple of the alignment \(alignment)")
            }
            let begin = start + Int(claim.offset)
            return Entry(name: claim.name, type: claim.type, shape: claim.shape, range: begin..<begin + claim.byteCount)
        }
        let inOrder = entries.filter { !$0.range.isEmpty }.sorted { $0.range.lowerBound < $1.range.lowerBound }
        for (first, second) in zip(inOrder, inOrder.dropFirst()) where second.range.lowerBound < first.range.upperBound {
            throw CheckpointError.overlap(file: file, first: first.name, second: second.name)
        }
        return entries
    }

    /// Maximum number of dimensions, as in ggml.
    private static let rankLimit = 4

    private static func claim(_ scanner: inout GGUFScanner) throws -> Claim {
        let name = try scanner.name("a tensor name")
        func bad(_ reason: String) -> CheckpointError { .badTensor(file: scanner.file.path, name: name, reason: reason) }
        let rank = try scanner.number(UInt32.self, "the number of dimensions")
        guard rank <= rankLimit else { throw bad("has \(rank) dimensions; at most \(rankLimit) are supported") }
        var extents: [UInt64] = []
        for _ in 0..<rank { extents.append(try scanner.number(UInt64.self, "a dimension")) }
        let number = try scanner.number(UInt32.self, "a tensor type")
        guard let type = GGMLType(rawValue: number) else {
            let shown = GGMLType.names[number].map { "of type \($0)" } ?? "of the unknown type \(number)"
            throw bad("is \(shown), which is not supported; supported types: \(GGMLType.known)")
        }
        let (elements, bytes) = type.block
        guard (extents.first ?? 1) % UInt64(elements) == 0 else {
            throw bad("has rows of \(extents.first ?? 1) elements; type \(type.name) has blocks of \(elements)")
        }
        var total = UInt64(1)
        for extent in extents {
            // the other dimensions of an empty tensor must be possible, too
            let product = total.multipliedReportingOverflow(by: max(1, extent))
            guard !product.overflow, product.partialValue < 1 << 56 else { throw bad("has impossible dimensions \(extents)") }
            total = product.partialValue
        }
        if extents.contains(0) { total = 0 }
        return Claim(
            name: name, type: type, shape: extents.reversed().map { Int($0) }, byteCount: Int(total) / elements * bytes,
            offset: try scanner.number(UInt64.self, "a tensor offset"))
    }
}
