/// The bytes of a GGUF file, with the freedom to lie.
public struct TestGGUF {
    /// A tensor's description.
    public struct Entry {
        public var name: [UInt8]
        /// As the file has them: innermost first.
        public var extents: [UInt64]
        public var type: UInt32
        public var offset: UInt64

        public init(_ name: String, _ extents: [UInt64], type: UInt32 = 0, offset: UInt64 = 0) {
            self.name = Array(name.utf8)
            self.extents = extents
            self.type = type
            self.offset = offset
        }
    }

    public var magic: [UInt8] = Array("GGUF".utf8)
    public var version: UInt32 = 3
    /// Pairs of metadata: the key, the type's number, the value's bytes.
    public var pairs: [(key: String, type: UInt32, bytes: [UInt8])] = []
    public var entries: [Entry] = []
    /// What the file says of the number of tensors; the truth for nil.
    public var announcedTensors: UInt64?
    /// What the file says of the number of pairs; the truth for nil.
    public var announcedPairs: UInt64?
    public var alignment = 32
    public var data: [UInt8] = []

    public init() {}

    /// A string as GGUF writes it.
    public static func string(_ text: some Collection<UInt8>, announcing length: UInt64? = nil) -> [UInt8] {
        littleEndian(length ?? UInt64(text.count)) + Array(text)
    }

    /// A string as GGUF writes it.
    public static func string(_ text: String) -> [UInt8] { string(Array(text.utf8)) }

    /// An array as GGUF writes it.
    public static func array(_ type: UInt32, _ elements: [[UInt8]], announcing count: UInt64? = nil) -> [UInt8] {
        littleEndian(type) + littleEndian(count ?? UInt64(elements.count)) + elements.flatMap { $0 }
    }

    /// The header, up to the end of the descriptions of tensors.
    public var header: [UInt8] {
        var bytes = magic + littleEndian(version)
        bytes += littleEndian(announcedTensors ?? UInt64(entries.count)) + littleEndian(announcedPairs ?? UInt64(pairs.count))
        for pair in pairs { bytes += Self.string(pair.key) + littleEndian(pair.type) + pair.bytes }
        for entry in entries {
            bytes += Self.string(entry.name) + littleEndian(UInt32(entry.extents.count))
            bytes += entry.extents.flatMap { littleEndian($0) } + littleEndian(entry.type) + littleEndian(entry.offset)
        }
        return bytes
    }

    /// The whole file.
    public var bytes: [UInt8] {
        let header = header
        return header + [UInt8](repeating: 0, count: (alignment - header.count % alignment) % alignment) + data
    }
}
