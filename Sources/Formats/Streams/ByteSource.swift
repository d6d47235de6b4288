package import Foundation

/// A stream of bytes from a file, the output of a command, or memory. It reads in chunks, so that memory use does not depend on
/// the length.
///
/// Only regular files are accepted: named pipes and devices are rejected without waiting. Files that start with the gzip magic
/// bytes are decompressed, whatever their name.
package final class ByteSource {
    /// The chunk size in bytes.
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

    /// Creates a source from bytes in memory.
    package init(bytes: [UInt8]) { content = .memory(bytes) }

    /// Starts a command and reads its standard output. The first element is the path of the program. Arguments are passed without
    /// a shell.
    /// - Throws: `FormatError.commandFailed`.
    package init(command: [String]) throws { content = .command(try CommandOutput(command)) }

    /// The whole content of a file, plain or gzip.
    /// - Parameters:
    ///   - url: The file.
    ///   - limit: The maximum size in bytes after decompression.
    /// - Throws: `FormatError.unreadable`; `badFile` if the content exceeds the limit.
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
    /// - Throws: `FormatError.unreadable`; `damagedArchive` if a gzip file is invalid; `commandFailed` if the command failed.
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

    /// Stops reading. A command that is still writing ends by itself because its pipe is closed.
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

/// An open uncompressed file.
private final class OpenFile {
    let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    func read(into buffer: inout [UInt8]) throws {
        buffer += try [UInt8](unsafeUninitializedCapacity: ByteSource.chunk) { space, count in
            count = try descriptor.read(into: UnsafeMutableRawBufferPointer(space))
        }
    }
}
