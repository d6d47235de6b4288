import Formats
package import Foundation

/// Parses the Debian control format: paragraphs of `Field: value` lines, in which a line that begins with white space
/// continues the value above it.
package enum ControlFile {
    /// The wanted fields of each paragraph of a file.
    /// - Parameters:
    ///   - file: A control file.
    ///   - wanted: The fields to return; a name that ends in `*` matches any suffix.
    /// - Throws: `FormatError` if the file cannot be read.
    package static func paragraphs(of file: URL, wanted: [String]) throws -> [[String: String]] {
        var all: [[String: String]] = []
        try readEach(in: ByteSource(file: file), wanted: wanted) { all.append($0) }
        return all
    }

    /// Calls `body` for each paragraph that has wanted fields. Continuation lines keep their white space.
    /// - Parameters:
    ///   - source: The text of a control file.
    ///   - wanted: The fields to return; a name that ends in `*` matches any suffix.
    ///   - body: Receives the paragraph's wanted fields by name.
    static func readEach(
        in source: ByteSource, wanted: [String], _ body: ([String: String]) throws -> Void
    ) throws {
        let lines = LineReader(source, limit: 1 << 20)
        let names = wanted.map { name in
            (bytes: Array(name.utf8.filter { $0 != 0x2a }), isPrefix: name.hasSuffix("*"))
        }
        var fields: [String: [UInt8]] = [:]
        var current: String?

        func end() throws {
            if !fields.isEmpty { try body(fields.mapValues { String(decoding: $0, as: UTF8.self) }) }
            fields.removeAll(keepingCapacity: true)
            current = nil
        }

        while let line = try lines.next() {
            guard case .text(let bytes) = line else {
                current = nil
                continue
            }
            if bytes.isEmpty {
                try end()
            } else if bytes[0] == 0x20 || bytes[0] == 0x09 {
                if let current { fields[current, default: []] += [0x0a] + bytes }
            } else {
                current = nil
                guard let colon = bytes.firstIndex(of: 0x3a) else { continue }
                let isWanted = names.contains { name in
                    name.isPrefix ? bytes.starts(with: name.bytes) : bytes[..<colon].elementsEqual(name.bytes)
                }
                guard isWanted else { continue }
                let name = String(decoding: bytes[..<colon], as: UTF8.self)
                fields[name] = Array(bytes[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 })
                current = name
            }
        }
        try end()
    }
}
