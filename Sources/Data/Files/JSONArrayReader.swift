import Foundation

/// Cuts a file that holds one JSON array into its elements, without ever holding more than one of them and one chunk.
///
/// Only the framing is read here (brackets outside of strings, commas between elements); whether an element is JSON is
/// for its parser to say.
final class JSONArrayReader {
    enum Element: Equatable {
        case text([UInt8])
        case tooLong
    }

    /// The line on which the element that `next` gave last begins, from 1.
    private(set) var elementLine = 1
    private let source: ByteSource
    private let limit: Int
    private let file: String
    private var buffer: [UInt8] = []
    private var position = 0
    private var line = 1
    private var atEnd = false
    private var state = State.before

    fileprivate enum State {
        /// Before the opening bracket.
        case before
        /// Behind the opening bracket: an element or the closing one.
        case first
        /// Behind a comma: an element.
        case element
        /// Behind an element: a comma or the closing bracket.
        case comma
        /// Behind the closing bracket.
        case after
    }

    init(_ source: ByteSource, file: String, limit: Int) {
        self.source = source
        self.limit = limit
        self.file = file
    }

    /// The next element, or nil at the end.
    /// - Throws: `DataError.malformedFile` where the framing breaks; `DataError.unreadable`.
    func next() throws -> Element? {
        while let byte = try nextByte() {
            switch byte {
            case 0x0a: line += 1
            case 0x20, 0x09, 0x0d: continue
            case UInt8(ascii: "[") where state.isBefore: state = .first
            case UInt8(ascii: "]") where state.mayEnd: state = .after
            case UInt8(ascii: ",") where state.isComma: state = .element
            default:
                guard state.mayBegin else { throw fault("expected \(state.expectation)") }
                state = .comma
                return try element(startingWith: byte)
            }
        }
        guard state.isAfter else { throw fault("the file ends inside the array; expected \(state.expectation)") }
        return nil
    }

    /// Reads one element from its first byte on.
    private func element(startingWith first: UInt8) throws -> Element {
        elementLine = line
        var bytes: [UInt8] = []
        var size = 0
        var depth = 0
        var isString = false
        var isEscaped = false
        var next: UInt8? = first
        func keep(_ byte: UInt8) {
            size += 1
            if size <= limit { bytes.append(byte) } else if size == limit + 1 { bytes = [] }
        }
        while let byte = next {
            if byte == 0x0a { line += 1 }
            if isString {
                keep(byte)
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isString = false
                    if depth == 0 { break }
                }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isString = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ","), 0x0a, 0x20, 0x09, 0x0d:
                    // behind a bare word such as null these belong to the array
                    if depth == 0 {
                        if byte == 0x0a { line -= 1 }
                        position -= 1
                        return size > limit ? .tooLong : .text(bytes)
                    }
                    if byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") { depth -= 1 }
                    if depth == 0 {
                        keep(byte)
                        return size > limit ? .tooLong : .text(bytes)
                    }
                default: break
                }
                keep(byte)
            }
            next = try nextByte()
        }
        if depth > 0 || isString {
            throw DataError.malformedFile(
                RowLocation(file: file, line: elementLine), "the file ends inside the element that begins here")
        }
        return size > limit ? .tooLong : .text(bytes)
    }

    private func fault(_ what: String) -> DataError {
        .malformedFile(RowLocation(file: file, line: line), "not a JSON array of rows: \(what)")
    }

    private func nextByte() throws -> UInt8? {
        while position == buffer.count {
            guard !atEnd else { return nil }
            let isStart = buffer.isEmpty && line == 1 && state.isBefore
            buffer.removeAll(keepingCapacity: true)
            position = 0
            atEnd = try !source.read(into: &buffer)
            if isStart {
                while !atEnd, buffer.count < 3 { atEnd = try !source.read(into: &buffer) }
                if buffer.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
            }
        }
        position += 1
        return buffer[position - 1]
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
        case .after: "nothing behind the array"
        }
    }
}
