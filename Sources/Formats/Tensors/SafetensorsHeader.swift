/// The header of a safetensors file, read as untrusted input.
///
/// Layout of the file: the length of the header as a little-endian 64-bit integer; the header, a JSON object `{name: {"dtype",
/// "shape", "data_offsets": [begin, end]}}` with an optional `"__metadata__"` object of strings; the data. Offsets are relative
/// to the start of the data, and the tensors cover the data without gaps or overlaps. Source: the description of the format in
/// the safetensors repository (README, "Format").
struct SafetensorsHeader {
    struct Entry {
        var name: String
        var elementType: ElementType
        var shape: [Int]
        /// The tensor's byte range, relative to the start of the file.
        var range: Range<Int>
    }

    /// Maximum length of the header in bytes, as in the safetensors library.
    static let lengthLimit = 100_000_000
    /// Maximum number of dimensions.
    static let rankLimit = 16

    private(set) var metadata: [String: String] = [:]
    private(set) var entries: [Entry] = []

    init(_ file: MappedFile) throws {
        try file.checkIsNoPointerFile()
        let size = file.bytes.count
        guard size >= 8 else {
            throw CheckpointError.truncated(file: file.path, part: "the header length", need: 8, have: size)
        }
        if file.bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) {
            throw CheckpointError.badFormat(file: file.path, reason: "this is a zip archive, not a safetensors file")
        }
        let announced = UInt64(littleEndian: file.bytes.loadUnaligned(as: UInt64.self))
        guard announced <= UInt64(Self.lengthLimit) else {
            throw CheckpointError.tooLarge(
                file: file.path, part: "the header", size: Int(clamping: announced), limit: Self.lengthLimit)
        }
        let dataStart = 8 + Int(announced)
        guard dataStart <= size else {
            throw CheckpointError.truncated(file: file.path, part: "the header", need: dataStart, have: size)
        }
        try CheckpointError.inJSON(of: file.path) {
            var scanner = JSONScanner(Array(file.bytes[8..<dataStart]))
            try read(&scanner, file: file.path, dataStart: dataStart, size: size)
        }
        try checkCover(file: file.path, dataStart: dataStart, size: size)
    }

    private mutating func read(_ scanner: inout JSONScanner, file: String, dataStart: Int, size: Int) throws {
        var metadata: [String: String] = [:]
        var entries: [Entry] = []
        try scanner.object { name, scanner in
            if name == "__metadata__" {
                try scanner.object { metadata[$0] = try $1.string() }
            } else {
                entries.append(try Self.entry(name, &scanner, file: file, dataStart: dataStart, size: size))
            }
        }
        try scanner.end()
        self.metadata = metadata
        self.entries = entries
    }

    private static func entry(
        _ name: String, _ scanner: inout JSONScanner, file: String, dataStart: Int, size: Int
    ) throws -> Entry {
        var typeName: String?
        var shape: [Int]?
        var offsets: [Int]?
        try scanner.object { key, scanner in
            switch key {
            case "dtype": typeName = try scanner.string()
            case "shape": shape = try integers(&scanner, atMost: rankLimit)
            case "data_offsets": offsets = try integers(&scanner, atMost: 2)
            default: throw scanner.error("unknown key \"\(key.prefix(120))\" of tensor \"\(name.prefix(120))\"")
            }
        }
        guard let typeName, let shape, let offsets, offsets.count == 2 else {
            throw CheckpointError.badTensor(
                file: file, name: name, reason: "needs dtype, shape and data_offsets [begin, end]")
        }
        guard let type = ElementType(rawValue: typeName) else {
            throw CheckpointError.badTensor(file: file, name: name, reason: "unknown type \(typeName.prefix(40))")
        }
        guard let need = type.byteCount(shape: shape) else {
            throw CheckpointError.badTensor(file: file, name: name, reason: "impossible shape \(shape)")
        }
        let (begin, end) = (offsets[0], offsets[1])
        guard 0 <= begin, begin <= end, end <= size - dataStart else {
            throw CheckpointError.outOfRange(file: file, name: name, begin: begin, end: end, size: size - dataStart)
        }
        guard end - begin == need else {
            throw CheckpointError.wrongSize(
                file: file, name: name, shape: shape, type: typeName, need: need, have: end - begin)
        }
        return Entry(name: name, elementType: type, shape: shape, range: dataStart + begin..<dataStart + end)
    }

    private static func integers(_ scanner: inout JSONScanner, atMost limit: Int) throws -> [Int] {
        var values: [Int] = []
        try scanner.array {
            guard values.count < limit else { throw $0.error("a list has more than \(limit) numbers") }
            values.append(try $0.integer())
        }
        return values
    }

    /// Checks that the tensors cover the data exactly once.
    private func checkCover(file: String, dataStart: Int, size: Int) throws {
        let inOrder = entries.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        var reached = dataStart
        var last = ""
        for entry in inOrder {
            guard entry.range.lowerBound >= reached else {
                throw CheckpointError.overlap(file: file, first: last, second: entry.name)
            }
            guard entry.range.lowerBound == reached else {
                throw CheckpointError.unclaimedBytes(
                    file: file, begin: reached - dataStart, end: entry.range.lowerBound - dataStart)
            }
            reached = entry.range.upperBound
            last = entry.name
        }
        guard reached == size else {
            throw CheckpointError.unclaimedBytes(file: file, begin: reached - dataStart, end: size - dataStart)
        }
    }
}
