import Formats
public import Foundation
import Synchronization

/// A cache of a judge's answers in a JSON lines file; each answer is appended as soon as it arrives.
///
/// The key of an answer is a hash of the service's address and the bytes of the request. Incomplete lines from a killed run are
/// skipped; of several lines with a key, the last applies. Answers without a verdict are in the file too, as a record of what the
/// judge wrote; whoever reads the cache decides with ``JudgeChat/opinion(of:)`` whether an answer is usable.
public final class JudgeCache: Sendable {
    private struct Line: Codable {
        var request: String
        var reply: ChatReply
    }

    private struct State {
        var replies: [String: ChatReply] = [:]
        var endsWithNewline = true
    }

    private let file: URL
    private let state: Mutex<State>
    /// The path of the file.
    public var path: String { file.path }
    /// The numbers of the lines that could not be read, counted from 1.
    public let damagedLines: [Int]

    /// Reads a cache file. The file need not exist; it is created with the first answer.
    /// - Throws: `FormatError`; ``Problem`` for a file that is not a cache.
    public init(_ file: URL) throws {
        self.file = file
        guard try FileStatus.of(file.path) != nil else {
            state = Mutex(State())
            damagedLines = []
            return
        }
        // reports folders, pipes and devices now, before any question is asked
        let descriptor = try Descriptor(readingFile: file.path)
        var found = State()
        if try descriptor.length() > 0 { found.endsWithNewline = try Self.lastByte(of: descriptor) == 0x0a }
        let reader = LineReader(try ByteSource(file: file), limit: 1 << 24)
        var damaged: [Int] = []
        var lines = 0
        while let line = try reader.next() {
            if case .text(let bytes) = line {
                if bytes.allSatisfy(OneLine.isSpace) { continue }
                lines += 1
                if let row = try? JSONDecoder().decode(Line.self, from: Foundation.Data(bytes)) {
                    found.replies[row.request] = row.reply
                    continue
                }
            }
            damaged.append(reader.lineNumber)
        }
        guard !found.replies.isEmpty || lines <= 1 && !found.endsWithNewline || damaged.isEmpty else { throw Problem(path: file.path) }
        state = Mutex(found)
        damagedLines = damaged
    }

    /// The key of a request: a hash of the service's address and the request body.
    public static func key(address: String, body: [UInt8]) -> String {
        var hash = FNV128()
        hash.add(Array(address.utf8))
        hash.add([0])
        hash.add(body)
        return hash.digits
    }

    /// The cached answer to a request; nil if there is none.
    public subscript(key: String) -> ChatReply? { state.withLock { $0.replies[key] } }

    /// Stores an answer; it is written to the file before the call returns.
    /// - Throws: `FileError`.
    public func store(_ reply: ChatReply, for key: String) throws {
        let line = try JSONLines<Line>.line(Line(request: key, reply: reply))
        try state.withLock { state in
            let descriptor = try Descriptor(creatingFile: file.path, O_WRONLY | O_APPEND)
            // a single write, so that lines from concurrent runs do not mix
            let text = (state.endsWithNewline ? "" : "\n") + line + "\n"
            try Array(text.utf8).withUnsafeBytes { try descriptor.write($0) }
            state.endsWithNewline = true
            state.replies[key] = reply
        }
    }

    private static func lastByte(of descriptor: borrowing Descriptor) throws -> UInt8 {
        var byte: UInt8 = 0
        let length = try descriptor.length()
        guard length > 0, pread(descriptor.number, &byte, 1, off_t(length - 1)) == 1 else { return 0x0a }
        return byte
    }

    /// The error for a file that is not a cache.
    public struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
        /// The path of the file.
        public var path: String

        /// One line that says what is wrong with the file.
        public var description: String {
            "\(path) is not a judge cache: no line has \"request\" and \"reply\"; choose another path for a new cache"
        }
    }
}
