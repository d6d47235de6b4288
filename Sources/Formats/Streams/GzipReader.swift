internal import CSystemZlib

/// Decompresses the concatenated members of a gzip file (RFC 1952), in chunks.
final class GzipReader {
    private let file: Descriptor
    private let chunk: Int
    /// zlib's state stores the address of this structure, so it must not move
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let packed: UnsafeMutableRawBufferPointer
    private var state = State.betweenMembers
    private var hasMember = false

    private enum State {
        case betweenMembers, inMember, atEnd
    }

    /// - Parameter chunk: The number of bytes that are read, and that are returned, at a time.
    init(_ file: consuming Descriptor, chunk: Int) throws {
        self.file = file
        self.chunk = chunk
        packed = .allocate(byteCount: chunk, alignment: 16)
        stream.initialize(to: z_stream())
        // a 15-bit window, plus 16 to read gzip's header and checksums
        let status = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            throw FormatError.unreadable(path: self.file.path, reason: "zlib initialisation failed (status \(status))")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        packed.deallocate()
    }

    /// Appends up to one chunk of decompressed bytes; appends nothing at the end.
    /// - Throws: `FileError.unreadable`; `FormatError.damagedArchive`.
    func read(into buffer: inout [UInt8]) throws {
        let end = buffer.count
        let unpacked = try [UInt8](unsafeUninitializedCapacity: chunk) { space, count in
            count = try read(into: space)
        }
        buffer.reserveCapacity(end + unpacked.count)
        buffer += unpacked
    }

    private func read(into space: UnsafeMutableBufferPointer<UInt8>) throws -> Int {
        stream.pointee.next_out = space.baseAddress
        stream.pointee.avail_out = uInt(space.count)
        while state != .atEnd, stream.pointee.avail_out == uInt(space.count) {
            if stream.pointee.avail_in == 0 {
                let count = try file.read(into: packed)
                stream.pointee.next_in = packed.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_in = uInt(count)
                if count == 0 {
                    guard state == .betweenMembers, hasMember else { throw damage("unexpected end of file") }
                    state = .atEnd
                    break
                }
            }
            if state == .betweenMembers { try beginMember() } else { try unpack() }
        }
        return space.count - Int(stream.pointee.avail_out)
    }

    /// Starts the next member. A member may be followed by zero padding; anything else must be another member.
    private func beginMember() throws {
        while hasMember, stream.pointee.avail_in > 0, stream.pointee.next_in?.pointee == 0 {
            stream.pointee.next_in? += 1
            stream.pointee.avail_in -= 1
        }
        guard stream.pointee.avail_in > 0 else { return }
        if hasMember, stream.pointee.next_in?.pointee != 0x1f { throw damage("trailing garbage after its last member") }
        state = .inMember
    }

    private func unpack() throws {
        let status = inflate(stream, Z_NO_FLUSH)
        switch status {
        case Z_OK, Z_BUF_ERROR: return
        case Z_STREAM_END:
            (hasMember, state) = (true, .betweenMembers)
            inflateReset(stream)
        case Z_MEM_ERROR:
            throw FormatError.unreadable(path: file.path, reason: "not enough memory to decompress it")
        default:
            throw damage(stream.pointee.msg.map { String(cString: $0) } ?? "zlib status \(status)")
        }
    }

    /// The path of the file.
    var path: String { file.path }

    private func damage(_ reason: String) -> FormatError { .damagedArchive(path: file.path, reason: reason) }
}
