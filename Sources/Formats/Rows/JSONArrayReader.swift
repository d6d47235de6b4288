internal import Foundation

/// Splits a file with one JSON array into its elements, or a file of concatenated JSON objects into the objects. Elements may
/// span any number of lines. At most one element and one chunk are held in memory.
///
/// Only the structure is examined (brackets outside strings, commas between elements). The caller's parser checks whether each
/// element is valid JSON.
package final class JSONArrayReader {
    /// An element of the file.
    package enum Element: Equatable {
        /// The text of the element.
        case text([UInt8])
        /// The element exceeds the limit.
        case tooLong
    }

    /// The line on which the element that `next` returned last starts, counted from 1.
    package private(set) var elementLine = 1
    private let source: ByteSource
    private let limit: Int
    private let file: String
    private var buffer: [UInt8] = []
    private var position = 0
    private var line = 1
    private var atEnd = false
    private var state: State
    private let isArray: Bool
    private var isStart = true

    fileprivate enum State {
        /// Before the opening bracket.
        case before
        /// After the opening bracket: an element or the closing bracket.
        case first
        /// After a comma: an element.
        case element
        /// After an element: a comma or the closing bracket.
        case comma
        /// After the closing bracket.
        case after
        /// In a file of objects: an object or the end of the file.
        case object
    }

    /// Reads the elements of a source.
    /// - Parameters:
    ///   - source: The bytes.
    ///   - file: The file's name for error messages.
    ///   - limit: The maximum size of an element in bytes.
    ///   - isArray: Whether the file contains an array; otherwise it contains concatenated objects.
    package init(_ source: ByteSource, file: String, limit: Int, isArray: Bool = true) {
        self.isArray = isArray
        state = isArray ? .before : .object
        self.source = source
        self.limit = limit
        self.file = file
    }

    /// The next element, or nil at the end.
    /// - Throws: `FormatError.malformedFile` if the structure is broken; `FormatError.unreadable`.
    package func next() throws -> Element? {
        while let byte = try nextByte() {
            switch byte {
            case 0x0a: line += 1
            case 0x20, 0x09, 0x0d: continue
            case UInt8(ascii: "[") where state.isBefore: state = .first
            case UInt8(ascii: "]") where state.mayEnd: state = .after
            case UInt8(ascii: ",") where state.isComma: state = .element
            default:
                guard state.mayBegin || state == .object && byte == UInt8(ascii: "{") else {
                    throw fault("expected \(state.expectation)")
                }
                state = isArray ? .comma : .object
                position -= 1
                return try element()
            }
        }
        guard state.isAfter || !isArray else { throw fault("the file ends inside the array; expected \(state.expectation)") }
        return nil
    }

    /// Reads one element, starting with the byte at `position`.
    private func element() throws -> Element {
        elementLine = line
        var bytes: [UInt8] = []
        var isTooLong = false
        var scan = Scan()
        repeat {
            let start = position
            position = buffer.withUnsafeBufferPointer { scan.end(in: $0, from: start) }
            if bytes.count + position - start > limit {
                isTooLong = true
                bytes = []
            }
            if !isTooLong { bytes += buffer[start..<position] }
            if scan.isDone {
                line += scan.newlines
                return isTooLong ? .tooLong : .text(bytes)
            }
        } while try fill()
        guard scan.depth == 0 && !scan.isString else {
            throw FormatError.malformedFile(
                RowLocation(file: file, line: elementLine), "the file ends inside the element that starts here")
        }
        return isTooLong ? .tooLong : .text(bytes)
    }

    /// The state of the scan within an element.
    private struct Scan {
        var depth = 0
        var isString = false
        var isDone = false
        var newlines = 0
        private var isEscaped = false

        /// The index after the element's last byte, or the end of the bytes if the element continues.
        mutating func end(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
            var index = start
            while index < bytes.count {
                let byte = bytes[index]
                if isString {
                    if byte == 0x0a { newlines += 1 }
                    if isEscaped {
                        isEscaped = false
                    } else if byte == UInt8(ascii: "\\") {
                        isEscaped = true
                    } else if byte == UInt8(ascii: "\"") {
                        isString = false
                        isDone = depth == 0
                    }
                } else {
                    switch byte {
                    case UInt8(ascii: "\""): isString = true
                    case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                    case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","), 0x0a, 0x20, 0x09, 0x0d:
                        // after a bare value such as null, this byte belongs to the array
                        if depth == 0 {
                            isDone = true
                            return index
                        }
                        if byte == 0x0a { newlines += 1 }
                        if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") { depth -= 1 }
                        isDone = depth == 0
                    default: break
                    }
                }
                index += 1
                if isDone { return index }
            }
            return index
        }
    }

    private func fault(_ what: String) -> FormatError {
        .malformedFile(
            RowLocation(file: file, line: line), "not \(isArray ? "a JSON array of rows" : "JSON objects, one per row"): \(what)")
    }

    private func nextByte() throws -> UInt8? {
        while position == buffer.count {
            guard try fill() else { return nil }
        }
        position += 1
        return buffer[position - 1]
    }

    /// Replaces the buffer with the next chunk. Returns false at the end.
    private func fill() throws -> Bool {
        guard !atEnd else { return false }
        buffer.removeAll(keepingCapacity: true)
        position = 0
        atEnd = try !source.read(into: &buffer)
        if isStart {
            isStart = false
            while !atEnd, buffer.count < 3 { atEnd = try !source.read(into: &buffer) }
            if buffer.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
        }
        return !buffer.isEmpty
    }
}

extension JSONArrayReader.State {
    fileprivate var isBefore: Bool { self == .before }
    fileprivate var isComma: Bool { self == .comma }
    fileprivate var isAfter: Bool { self == .after }
    fileprivate var mayBegin: Bool { self == .first || self == .element }
    fileprivate var mayEnd: Bool { self == .first || self == .comma }

    fileprivate var expectation: String {
        switch self {
        case .before: "\"[\""
        case .first: "a row or \"]\""
        case .element: "a row"
        case .comma: "a comma or \"]\""
        case .after: "nothing after the array"
        case .object: "\"{\", the start of a row"
        }
    }
}
