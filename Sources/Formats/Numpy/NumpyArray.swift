public import Foundation

/// An array from numpy's `.npy` format with Booleans, integers or floating-point numbers.
///
/// The format is NEP 1, versions 1 to 3. Files that contain Python objects are pickles, that is, programs for the Python
/// interpreter; they are rejected with an error that says so.
public struct NumpyArray: Sendable, Equatable {
    /// The elements of an array.
    public enum Elements: Sendable, Equatable {
        /// Booleans.
        case flags([Bool])
        /// Integers.
        case integers([Int])
        /// Floating-point numbers.
        case reals([Double])

        /// The elements as floating-point numbers; true is 1.
        public var reals: [Double] {
            switch self {
            case .flags(let flags): flags.map { $0 ? 1 : 0 }
            case .integers(let integers): integers.map(Double.init)
            case .reals(let reals): reals
            }
        }
    }

    /// The dimensions, outermost first.
    public var shape: [Int]
    /// All elements, in row-major order.
    public var elements: Elements

    /// The maximum size of a file: 1 GiB.
    static let sizeLimit = 1 << 30

    /// Reads a `.npy` file.
    /// - Throws: `FormatError.unreadable`, or `badFile` with a description of what the file contains instead.
    public init(_ file: URL) throws {
        let bytes = try ByteSource.content(of: file, limit: Self.sizeLimit)
        do {
            try self.init(bytes: bytes)
        } catch {
            throw FormatError.badFile(path: file.path, reason: error.reason)
        }
    }

    struct Problem: Error { var reason: String }

    init(bytes: [UInt8]) throws(Problem) {
        guard bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else {
            if bytes.starts(with: [0x50, 0x4b, 0x03, 0x04]) {
                throw Problem(reason: "it is an .npz archive; save each array to its own file with numpy.save")
            }
            if bytes.first == 0x80 {
                throw Problem(reason: "it is a Python pickle, which is never loaded; " + Self.advice)
            }
            throw Problem(reason: "it is not a .npy file: it does not begin with \\x93NUMPY")
        }
        guard bytes.count >= 10, (1...3).contains(bytes[6]) else {
            throw Problem(reason: "its .npy version is not 1, 2 or 3, or the file is truncated")
        }
        let lengthBytes = bytes[6] == 1 ? 2 : 4
        let start = 8 + lengthBytes
        guard bytes.count >= start else { throw Problem(reason: "it is truncated in its header") }
        let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= 65_536, bytes.count - start >= length else {
            throw Problem(reason: "it is truncated in its header, or the header length \(length) is wrong")
        }
        let header = try Header(parsing: Array(bytes[start..<start + length]))
        if header.isFortranOrder && header.shape.count > 1 {
            throw Problem(reason: "it is in Fortran order; save numpy.ascontiguousarray(a)")
        }
        var count = 1
        for extent in header.shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow, product <= Self.sizeLimit else {
                throw Problem(reason: "its shape \(header.shape) is too large")
            }
            count = product
        }
        let type = try ElementType(header.type)
        guard bytes.count - start - length == count * type.size else {
            throw Problem(
                reason:
                    "its shape \(header.shape) needs \(count * type.size) bytes, but it has \(bytes.count - start - length)"
            )
        }
        shape = header.shape
        elements = try type.read(bytes[(start + length)...])
    }

    static let advice =
        "convert it to JSON with Python, for example json.dump({k: [int(i) for i in v] for k, v in "
        + "numpy.load(FILE, allow_pickle=True).item().items()}, open('index.json', 'w')), if you trust the file"
}

extension NumpyArray {
    /// The type of one element, from a descriptor such as `<i8`.
    struct ElementType {
        var kind: Character
        var size: Int
        var isBigEndian: Bool

        init(_ descriptor: String) throws(Problem) {
            let characters = Array(descriptor)
            guard characters.count >= 2, "<>|=".contains(characters[0]) else {
                throw Problem(
                    reason: "its element type \"\(descriptor)\" is not supported; expected Booleans, integers or floating-point numbers")
            }
            kind = characters[1]
            isBigEndian = characters[0] == ">"
            if kind == "O" {
                throw Problem(reason: "it contains Python objects (a pickle), which are never loaded; " + NumpyArray.advice)
            }
            let sizes: [Character: [Int]] = ["b": [1], "i": [1, 2, 4, 8], "u": [1, 2, 4, 8], "f": [4, 8]]
            guard let size = Int(String(characters[2...])), sizes[kind]?.contains(size) ?? false else {
                throw Problem(
                    reason:
                        "its element type \"\(descriptor)\" is not supported; expected Booleans, integers or 4- or 8-byte floats"
                )
            }
            self.size = size
        }

        /// Decodes elements.
        /// - Precondition: The number of bytes is a multiple of the element size.
        func read(_ bytes: ArraySlice<UInt8>) throws(Problem) -> Elements {
            var words: [UInt64] = []
            words.reserveCapacity(bytes.count / size)
            var position = bytes.startIndex
            while position < bytes.endIndex {
                var word: UInt64 = 0
                for offset in 0..<size {
                    let byte = bytes[position + (isBigEndian ? offset : size - 1 - offset)]
                    word = word << 8 | UInt64(byte)
                }
                words.append(word)
                position += size
            }
            switch kind {
            case "b": return .flags(words.map { $0 != 0 })
            case "f":
                return .reals(
                    words.map {
                        size == 4 ? Double(Float(bitPattern: UInt32(truncatingIfNeeded: $0))) : Double(bitPattern: $0)
                    })
            case "i":
                let shift = UInt64(64 - 8 * size)
                return .integers(words.map { Int(Int64(bitPattern: $0 << shift) >> shift) })
            default:
                var integers: [Int] = []
                integers.reserveCapacity(words.count)
                for word in words {
                    guard let integer = Int(exactly: word) else {
                        throw Problem(reason: "the integer \(word) is out of range")
                    }
                    integers.append(integer)
                }
                return .integers(integers)
            }
        }
    }

    /// The header: a Python dictionary literal with three known keys. Nothing else is accepted.
    struct Header {
        var type = ""
        var isFortranOrder = false
        var shape: [Int] = []

        init(parsing bytes: [UInt8]) throws(Problem) {
            var text = HeaderText(bytes: bytes)
            var seen: Set<String> = []
            try text.expect("{")
            while !text.take("}") {
                let key = try text.string()
                guard seen.insert(key).inserted else { throw HeaderText.fault }
                try text.expect(":")
                switch key {
                case "descr":
                    guard !text.take("[") else {
                        throw Problem(reason: "its elements are structures; expected a plain array of numbers")
                    }
                    type = try text.string()
                case "fortran_order":
                    if text.take("True") { isFortranOrder = true } else { try text.expect("False") }
                case "shape":
                    try text.expect("(")
                    while !text.take(")") {
                        shape.append(try text.integer())
                        if !text.take(",") {
                            try text.expect(")")
                            break
                        }
                    }
                default: throw HeaderText.fault
                }
                if !text.take(",") {
                    try text.expect("}")
                    break
                }
            }
            guard seen.count == 3, text.isAtEnd else { throw HeaderText.fault }
        }
    }

    /// A parser position in the text of the header.
    private struct HeaderText {
        static var fault: Problem { Problem(reason: "its header is invalid; expected one that numpy.save writes") }
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { bytes[position...].allSatisfy { $0 == 0x20 || $0 == 0x0a } }

        mutating func take(_ word: String) -> Bool {
            while position < bytes.count, bytes[position] == 0x20 { position += 1 }
            guard bytes[position...].starts(with: word.utf8) else { return false }
            position += word.utf8.count
            return true
        }

        mutating func expect(_ word: String) throws(Problem) {
            guard take(word) else { throw Self.fault }
        }

        mutating func string() throws(Problem) -> String {
            try expect("'")
            guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "'")), end - position <= 64 else {
                throw Self.fault
            }
            defer { position = end + 1 }
            return String(decoding: bytes[position..<end], as: UTF8.self)
        }

        mutating func integer() throws(Problem) -> Int {
            _ = take("")
            let digits = bytes[position...].prefix { (0x30...0x39).contains($0) }
            guard let number = Int(String(decoding: digits, as: UTF8.self)) else { throw Self.fault }
            position += digits.count
            return number
        }
    }
}
