/// The directory of a zip archive whose members are stored without compression, as PyTorch writes them.
///
/// Nothing is extracted: members are ranges of the mapped file. The central directory at the end of the archive is read,
/// including the Zip64 extension. The local header of every member must agree with it, and members must not overlap. Source:
/// PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12–4.3.16 and 4.5.3.
struct ZipDirectory {
    /// The byte range of each member, by name.
    private(set) var members: [String: Range<Int>] = [:]
    private(set) var names: [String] = []

    private let file: MappedFile

    /// Maximum number of members.
    static let countLimit = 1_000_000

    private static let endSize = 22
    private static let entrySize = 46
    private static let localSize = 30

    init(_ file: MappedFile) throws {
        self.file = file
        let (start, size, count) = try findDirectory()
        // Each entry has at least its fixed part, so the count cannot cause an allocation larger than the file.
        guard count <= size / Self.entrySize else {
            throw bad("the directory of \(size) bytes cannot hold \(count) entries")
        }
        guard count <= Self.countLimit else {
            throw CheckpointError.tooLarge(
                file: file.path, part: "the number of members", size: count, limit: Self.countLimit)
        }
        var position = start
        var extents: [(range: Range<Int>, name: String)] = []
        for _ in 0..<count {
            extents.append(try readEntry(at: &position, limit: start + size))
        }
        guard position == start + size else { throw bad("the size of the directory is wrong") }
        extents.sort { $0.range.lowerBound < $1.range.lowerBound }
        for (previous, next) in zip(extents, extents.dropFirst())
        where next.range.lowerBound < previous.range.upperBound {
            throw bad("members \"\(previous.name.prefix(120))\" and \"\(next.name.prefix(120))\" overlap")
        }
        if let last = extents.last, last.range.upperBound > start {
            throw bad("member \"\(last.name.prefix(120))\" overlaps the directory")
        }
    }

    private func bad(_ reason: String) -> CheckpointError {
        .badFormat(file: file.path, reason: "zip archive: \(reason)")
    }

    // MARK: Numbers

    private func uint16(_ offset: Int) -> Int {
        Int(UInt16(littleEndian: file.bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    }

    private func uint32(_ offset: Int) -> Int {
        Int(UInt32(littleEndian: file.bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }

    /// A 64-bit integer. Values that do not fit are clamped to `Int.max`, which all checks reject.
    private func uint64(_ offset: Int) -> Int {
        Int(clamping: UInt64(littleEndian: file.bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
    }

    // MARK: The end record

    /// Finds the central directory: its start, its size, and the number of entries that it announces.
    private func findDirectory() throws -> (start: Int, size: Int, count: Int) {
        let size = file.bytes.count
        guard size >= Self.endSize else {
            throw CheckpointError.truncated(file: file.path, part: "a zip archive", need: Self.endSize, have: size)
        }
        var end: Int?
        for offset in stride(from: size - Self.endSize, through: max(0, size - Self.endSize - 0xFFFF), by: -1)
        where uint32(offset) == 0x0605_4B50 && offset + Self.endSize + uint16(offset + 20) == size {
            end = offset
            break
        }
        guard let end else {
            throw bad("no directory at the end; the file is truncated or not a zip archive")
        }
        var (count, directorySize, start) = (uint16(end + 10), uint32(end + 12), uint32(end + 16))
        var limit = end
        if count == 0xFFFF || directorySize == 0xFFFF_FFFF || start == 0xFFFF_FFFF {
            let locator = end - 20
            guard locator >= 0, uint32(locator) == 0x0706_4B50 else { throw bad("no 64-bit directory locator") }
            let record = uint64(locator + 8)
            guard record <= locator - 56, uint32(record) == 0x0606_4B50 else { throw bad("no 64-bit end record") }
            (count, directorySize, start) = (uint64(record + 32), uint64(record + 40), uint64(record + 48))
            limit = record
        }
        guard start <= limit, directorySize <= limit - start else {
            throw bad("the directory at \(start) of \(directorySize) bytes is outside the file")
        }
        return (start, directorySize, count)
    }

    // MARK: Entries

    /// Reads one entry of the directory, and the local header to which it points.
    private mutating func readEntry(at position: inout Int, limit: Int) throws -> (range: Range<Int>, name: String) {
        guard position <= limit - Self.entrySize, uint32(position) == 0x0201_4B50 else {
            throw bad("a damaged directory entry at \(position)")
        }
        let (flags, method) = (uint16(position + 8), uint16(position + 10))
        var (packed, size) = (uint32(position + 20), uint32(position + 24))
        let (nameLength, extraLength, commentLength) =
            (uint16(position + 28), uint16(position + 30), uint16(position + 32))
        var local = uint32(position + 42)
        let nameStart = position + Self.entrySize
        let extraStart = nameStart + nameLength
        let next = extraStart + extraLength + commentLength
        guard next <= limit else { throw bad("a damaged directory entry at \(position)") }
        let name = try memberName(nameStart..<extraStart)
        try readWideSizes(extraStart..<extraStart + extraLength, packed: &packed, size: &size, local: &local)
        guard flags & 0x0001 == 0 else { throw bad("member \"\(name.prefix(120))\" is encrypted") }
        guard method == 0, packed == size else {
            throw bad("member \"\(name.prefix(120))\" is compressed; expected uncompressed members, as PyTorch writes them")
        }
        let range = try memberRange(local: local, size: size, name: name, nameBytes: nameStart..<extraStart)
        guard members.updateValue(range, forKey: name) == nil else {
            throw bad("two members named \"\(name.prefix(120))\"")
        }
        names.append(name)
        position = next
        return (local..<range.upperBound, name)
    }

    /// Reads Zip64 sizes from the extra field: they are present, in this order, only where the 32-bit field is all ones.
    private func readWideSizes(_ extra: Range<Int>, packed: inout Int, size: inout Int, local: inout Int) throws {
        var position = extra.lowerBound
        while position + 4 <= extra.upperBound {
            let (kind, length) = (uint16(position), uint16(position + 2))
            var field = position + 4
            let fieldEnd = field + length
            guard fieldEnd <= extra.upperBound else { throw bad("a damaged extra field at \(position)") }
            func take(_ value: inout Int) throws {
                guard value == 0xFFFF_FFFF else { return }
                guard field + 8 <= fieldEnd else { throw bad("a damaged extra field at \(position)") }
                value = uint64(field)
                field += 8
            }
            if kind == 0x0001 {
                try take(&size)
                try take(&packed)
                try take(&local)
            }
            position = fieldEnd
        }
    }

    private func memberName(_ range: Range<Int>) throws -> String {
        guard let name = String(validating: file.bytes[range], as: UTF8.self) else {
            throw bad("a member's name is not valid UTF-8")
        }
        // Members are never written to disk, but a path that leaves its folder has no legitimate use.
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard !name.hasPrefix("/"), !parts.contains(".."), !name.contains("\\"), !name.contains("\0") else {
            throw CheckpointError.unsafeName(file: file.path, name: name)
        }
        return name
    }

    /// The byte range of a member's data, which follows its local header.
    private func memberRange(local: Int, size: Int, name: String, nameBytes: Range<Int>) throws -> Range<Int> {
        let total = file.bytes.count
        guard local <= total - Self.localSize, uint32(local) == 0x0403_4B50 else {
            throw bad("member \"\(name.prefix(120))\" has no header at \(local)")
        }
        let localName = local + Self.localSize
        let nameLength = uint16(local + 26)
        let start = localName + nameLength + uint16(local + 28)
        guard start <= total, size <= total - start else {
            throw CheckpointError.truncated(
                file: file.path, part: "member \"\(name.prefix(120))\"", need: size, have: max(0, total - start))
        }
        guard uint16(local + 8) == 0, nameLength == nameBytes.count,
            file.bytes[localName..<localName + nameLength].elementsEqual(file.bytes[nameBytes])
        else {
            throw bad("the header of member \"\(name.prefix(120))\" does not match the directory")
        }
        return start..<start + size
    }
}
