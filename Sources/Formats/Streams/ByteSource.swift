package import Foundation

/// The bytes of a file, of what a command prints, or of memory, in chunks: memory use does not depend on the length.
///
/// Files are regular files: named pipes and devices are refused at once. Those that begin with the gzip mark are unpacked, whatever
/// their name.
package final class ByteSource {
    /// Bytes asked for at once.
    static let chunk = 1 << 18

    private enum Content {
        case file(OpenFile)
        case gzip(GzipReader)
        case command(CommandOutput)
        case memory([UInt8])
        case none
    }

    private var content: Content

    /// Opens a file, plain or gzip.
    /// - Throws: `FormatError.unreadable`.
    package init(file url: URL) throws {
        content = try Self.reading(url.path) {
            let file = try Descriptor(readingFile: url.path)
            var mark: [UInt8] = [0, 0]
            let isGzip = pread(file.number, &mark, 2, 0) == 2 && mark == [0x1f, 0x8b]
            return isGzip ? .gzip(try GzipReader(file, chunk: Self.chunk)) : .file(OpenFile(file))
        }
    }

    /// Gives bytes out that are in memory.
    package init(bytes: [UInt8]) { content = .memory(bytes) }

    /// Starts a command and reads what it prints. The arguments are passed as they are; no shell sees them.
    /// - Throws: `FormatError.commandFailed`.
    package init(command: [String]) throws { content = .command(try CommandOutput(command)) }

    /// The whole content of a file, plain or gzip.
    /// - Parameter limit: The most bytes that are taken into memory, unpacked.
    /// - Throws: `FormatError.unreadable`; `badFile` for a longer file.
    package static func content(of url: URL, limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        let source = try ByteSource(file: url)
        while try source.read(into: &bytes) {
            guard bytes.count <= limit else {
                throw FormatError.badFile(path: url.path, reason: "it is larger than \(limit) bytes")
            }
        }
        return bytes
    }

    /// Appends the next chunk to `buffer`.
    /// - Returns: False at the end.
    /// - Throws: `FormatError.unreadable`; `damagedArchive` if the file is no sound gzip file; `commandFailed` if a command ended with an
    ///   error.
    package func read(into buffer: inout [UInt8]) throws -> Bool {
        let before = buffer.count
        switch content {
        case .none: break
        case .memory(let bytes): buffer += bytes
        case .gzip(let reader): try Self.reading(reader.path) { try reader.read(into: &buffer) }
        case .command(let output): try output.read(into: &buffer)
        case .file(let file): try Self.reading(file.descriptor.path) { try file.read(into: &buffer) }
        }
        if buffer.count == before || isInMemory { content = .none }
        return buffer.count > before
    }

    /// Stops reading. A command that is still writing is left to end by itself on its closed pipe.
    package func close() { content = .none }

    private var isInMemory: Bool { if case .memory = content { true } else { false } }

    private static func reading<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as FileError {
            throw FormatError(error, reading: path)
        }
    }
}

/// A plain file that is open.
private final class OpenFile {
    let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    func read(into buffer: inout [UInt8]) throws {
        buffer += try [UInt8](unsafeUninitializedCapacity: ByteSource.chunk) { space, count in
            count = try descriptor.read(into: UnsafeMutableRawBufferPointer(space))
        }
    }
}
