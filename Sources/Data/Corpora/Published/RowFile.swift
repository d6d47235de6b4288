public import Formats
public import Foundation

/// A file of rows in any format (JSON Lines, a JSON array or CSV, each optionally gzip-compressed), read as a stream.
///
/// Memory use while reading: one row, one chunk of the file and, for row types with unique IDs, 24 bytes per row.
public struct RowFile<Row: CorpusRow>: Sendable {
    /// The default of `rowLimit`: 16 MiB.
    public static var defaultRowLimit: Int { 1 << 24 }

    /// The file; the first shard if there are several.
    public var url: URL
    /// Further shards of the file, in order. All are read as one file.
    public var furtherParts: [URL] = []
    /// The file format; nil to infer it from the file name.
    public var format: RowFormat?
    /// What to do with a row that is invalid.
    public var onBadRow: BadRowPolicy
    /// The maximum size of a row in bytes. A larger row is invalid and is skipped without being held in memory.
    public var rowLimit: Int
    /// Fields that are optional, such as the summaries of a set of prompts; a missing one is read as an empty text.
    public var mayLack: Set<String>
    /// Decodes a row.
    public var decode: RowDecoder
    /// The row shapes to detect, instead of using `decode`; nil to use `decode`. All rows of the file must have the
    /// same shape.
    public var shapes: [RowShape]?
    /// A column whose value is kept with each row, for selections. A row without it is invalid.
    public var column: String?

    /// Decodes a record. `defaultID` is the ID of a row without an ID field. If the closure throws `RowProblem`, the
    /// row is invalid.
    public typealias RowDecoder = @Sendable (_ record: Record, _ defaultID: String) throws -> Row

    /// Creates a reader of one file. Opens nothing yet.
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

    /// How many rows were read and skipped, and the detected shape of the rows, if any.
    typealias Outcome = (counts: RowCounts, shape: String?)

    /// The shards in order.
    private var parts: [URL] { [url] + furtherParts }

    /// Calls `body` with each row and its location, in order.
    /// - Returns: How many rows were read and skipped.
    /// - Throws: `FormatError.unreadable`; `malformedFile` if the rest of the file cannot be split into rows and
    ///   `badFile` for a shard without rows, under any policy; `badRow` for an invalid row under the policy `fail`;
    ///   whatever `body` throws. A `RowProblem` that `body` throws marks the row as invalid.
    @discardableResult
    public func readEach(_ body: (Row, RowLocation) throws -> Void) throws -> RowCounts {
        try readEach { row, location, _ in try body(row, location) }.counts
    }

    /// Calls `body` with each row, its location and its number in the file, from 0. Invalid rows are numbered too.
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

    /// The error for a shard without rows. It was probably not written or copied completely, and the other shards must
    /// not be mistaken for the whole split.
    private func emptyPart(_ file: URL) -> FormatError {
        .badFile(
            path: file.path,
            reason: "it has no rows, but is one of \(parts.count) parts of a split, which must all have rows; restore the file")
    }

    /// Reads all rows, or the first `count` of them.
    /// - Throws: As `readEach`.
    public func read(first count: Int = .max) throws -> [Row] {
        try firstRows(count) { take in try readEach { row, _ in try take(row) } }
    }

    /// The number of rows that `readEach` passes on. Under the policy `fail` rows are only counted, not decoded: an
    /// invalid row is found when it is read.
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
