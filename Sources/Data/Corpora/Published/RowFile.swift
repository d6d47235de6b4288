public import Formats
public import Foundation

/// A file of rows in any format (JSON lines, a JSON array, CSV; each also with gzip), read as a stream.
///
/// Reading holds one row, one chunk of the file and, for sets whose ids are unique, 24 bytes for each row.
public struct RowFile<Row: CorpusRow>: Sendable {
    /// The longest row that is read unless told otherwise: 16 MiB.
    public static var defaultRowLimit: Int { 1 << 24 }

    /// The file.
    public var url: URL
    /// Files that go on where it ends, in their order: all of them are read as one.
    public var furtherParts: [URL] = []
    /// nil: by the file's name.
    public var format: RowFormat?
    /// What happens to a row that breaks the format.
    public var onBadRow: BadRowPolicy
    /// Longer rows, in bytes, are bad rows; they are read past without being held.
    public var rowLimit: Int
    /// Fields that count as empty texts where they are missing, such as the summaries of a set of prompts.
    public var mayLack: Set<String>
    /// How a row is made of its fields.
    public var decode: RowDecoder
    /// The shapes among which that of the rows is found, in place of `decode`; all rows must have it. nil for what `decode` reads.
    public var shapes: [RowShape]?
    /// The column whose text is kept with each row, for selections; a row without it is a bad row.
    public var column: String?

    /// Makes a row of its fields; `defaultID` is the id of a row whose file has no ids. A `RowProblem` that it throws makes a bad row.
    public typealias RowDecoder = @Sendable (_ record: Record, _ defaultID: String) throws -> Row

    /// A reader of one file; nothing is opened yet.
    public init(
        _ url: URL, format: RowFormat? = nil, onBadRow: BadRowPolicy = .fail, rowLimit: Int = Self.defaultRowLimit,
        mayLack: Set<String> = [], decode: @escaping RowDecoder = { try Row($0, defaultID: $1) }, shapes: [RowShape]? = nil,
        column: String? = nil
    ) {
        self.url = url
        self.format = format
        self.onBadRow = onBadRow
        self.rowLimit = rowLimit
        self.mayLack = mayLack
        self.decode = decode
        self.shapes = shapes
        self.column = column
    }

    /// How many rows were read and left out, and of which shape they are, where it was looked for.
    typealias Outcome = (counts: RowCounts, shape: String?)

    /// The parts in their order.
    private var parts: [URL] { [url] + furtherParts }

    /// Calls `body` with each row and its place, in order.
    /// - Returns: How many rows were read and skipped.
    /// - Throws: `FormatError.unreadable`; `malformedFile` where no further row can be found and `badFile` for a part without a row, under
    ///   any policy; `badRow` under the policy `fail`; whatever `body` throws. A `RowProblem` that `body` throws counts as
    ///   a bad row.
    @discardableResult
    public func readEach(_ body: (Row, RowLocation) throws -> Void) throws -> RowCounts {
        try readEach { row, location, _ in try body(row, location) }.counts
    }

    /// The same with the row's number in the file, from 0; bad rows have one, too.
    @discardableResult
    func readEach(_ body: (Row, RowLocation, Int) throws -> Void) throws -> Outcome {
        var stem = url.lastPathComponent.split(separator: ".").first.map(String.init) ?? "row"
        if !furtherParts.isEmpty { stem = Shard(stem)?.name ?? stem }
        var counts = RowCounts()
        var seen = SeenIDs()
        var number = -1
        var shaped = shapes.map { ShapeReader<Row>($0) }
        func decoded(_ record: Record) throws -> Row {
            let id = "\(stem)-\(number)"
            var row = try shaped?.row(record, id) ?? decode(record, id)
            if let column { row.columnValue = try record.scalar(column) }
            return row
        }
        for (part, file) in parts.enumerated() {
            let reader = try RecordReader(file, format: format, limit: rowLimit, mayLack: mayLack)
            let before = number
            while let entry = try reader.next() {
                number += 1
                do {
                    switch entry {
                    case .bad(let problem): throw problem
                    case .record(let record):
                        let row = try decoded(record)
                        if Row.hasUniqueIDs, let earlier = seen.note(row.id, file: part, line: reader.location.line) {
                            let other = Int(earlier.file) == part ? nil : parts[Int(earlier.file)].lastPathComponent
                            throw RowProblem.duplicateID(row.id, firstLine: Int(earlier.line), file: other)
                        }
                        try body(row, reader.location, number)
                        counts.read += 1
                    }
                } catch let problem as RowProblem {
                    try counts.meet(problem, at: reader.location, policy: onBadRow)
                }
            }
            guard number > before || furtherParts.isEmpty else { throw emptyPart(file) }
        }
        return (counts, shaped?.shape?.name)
    }

    /// A part without a row is one whose writing or copying failed: the others would be taken for the whole.
    private func emptyPart(_ file: URL) -> FormatError {
        .badFile(
            path: file.path,
            reason: "it has no row, and is one of \(parts.count) parts of a split; expected rows in each; put it back from a copy")
    }

    /// All rows, or the first `count` of them.
    /// - Throws: As `readEach`.
    public func read(first count: Int = .max) throws -> [Row] {
        try firstRows(count) { take in try readEach { row, _ in try take(row) } }
    }

    /// How many rows `readEach` gives out. Under the policy `fail` rows are only counted, not parsed: a bad one is found
    /// when they are read.
    /// - Throws: As `readEach`.
    public func count() throws -> Int {
        if onBadRow == .skip { return try readEach { _, _, _ in }.counts.read }
        var count = 0
        for file in parts {
            let reader = try RecordReader(file, format: format, limit: rowLimit, mayLack: mayLack)
            while let entry = try reader.next(decoding: false) {
                if case .bad(let problem) = entry { throw FormatError.badRow(reader.location, problem) }
                count += 1
            }
        }
        return count
    }
}
