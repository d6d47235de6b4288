import Formats
public import Foundation

/// Numbers of rows for each split: the rows that a property divides off, where the rows themselves do not show it.
public struct SplitIndex: Sendable, Equatable {
    /// Split → ascending row numbers, from 0.
    public let rows: [String: [Int]]
    /// Where it comes from, for messages.
    public let path: String

    /// - Throws: `DataError.invalidIndex` if a number is negative or comes twice.
    public init(rows: [String: [Int]], path: String = "the index") throws {
        self.rows = try rows.reduce(into: [:]) { all, split in
            let sorted = split.value.sorted()
            if let first = sorted.first, first < 0 {
                throw DataError.invalidIndex(path: path, reason: "\"\(split.key)\" holds the row number \(first)")
            }
            for (row, next) in zip(sorted, sorted.dropFirst()) where row == next {
                throw DataError.invalidIndex(path: path, reason: "\"\(split.key)\" holds the row number \(row) twice")
            }
            let name = ["valid": "validation", "val": "validation", "dev": "validation"][split.key] ?? split.key
            guard all[name] == nil else {
                throw DataError.invalidIndex(path: path, reason: "it holds the split \"\(name)\" twice")
            }
            all[name] = sorted
        }
        self.path = path
    }

    /// Reads an index: a JSON map from split to row numbers, the same as numpy saves a Python dictionary (`.npy`), or a folder
    /// with one `<split>.npy` for each split that holds row numbers (integers) or one Boolean for each row.
    /// - Throws: `FormatError.unreadable`, `malformedFile`; `DataError.invalidIndex`.
    public init(_ url: URL) throws {
        if try DataFolder.isFolder(url) {
            var rows: [String: [Int]] = [:]
            for (split, array) in try Self.arrays(in: url) {
                switch array.elements {
                case .integers(let numbers): rows[split] = numbers
                case .flags(let flags): rows[split] = flags.indices.filter { flags[$0] }
                case .reals:
                    throw DataError.invalidIndex(
                        path: url.appendingPathComponent(split + ".npy").path,
                        reason: "it holds scores, not row numbers; make an index of them first")
                }
            }
            try self.init(rows: rows, path: url.path)
            return
        }
        if url.pathExtension.lowercased() == "npy" {
            if let map = try Self.reading({ try PickledMap.read(url) }) {
                let rows = Dictionary(map.rows.map { ($0.name, $0.numbers) }) { first, _ in first }
                try self.init(rows: rows, path: url.path)
                return
            }
            _ = try Self.reading { try NumpyArray(url) }
            throw DataError.invalidIndex(
                path: url.path,
                reason:
                    "one array cannot name its split; put train.npy, validation.npy and test.npy into a folder and name that"
            )
        }
        try self.init(rows: Self.json(url), path: url.path)
    }

    /// An index of the rows with the highest scores, from scores of every row.
    /// - Parameters:
    ///   - scores: Split → one score for each row.
    ///   - keeping: Which rows are inside.
    /// - Throws: `DataError.invalidIndex` if a score is not a number.
    public init(scores: [String: [Double]], keeping: Keeping = .highest(share: 0.5)) throws {
        var rows: [String: [Int]] = [:]
        for (split, scores) in scores {
            if let bad = scores.firstIndex(where: \.isNaN) {
                throw DataError.invalidIndex(path: "the scores", reason: "row \(bad) of \"\(split)\" has none")
            }
            rows[split] = keeping.rows(of: scores)
        }
        try self.init(rows: rows)
    }

    /// An index from a folder with one `<split>.npy` of floating-point scores for each split.
    /// - Throws: `FormatError.unreadable`; `DataError.invalidIndex`.
    public init(scoresIn folder: URL, keeping: Keeping = .highest(share: 0.5)) throws {
        try self.init(scores: Self.arrays(in: folder).mapValues(\.elements.reals), keeping: keeping)
    }

    /// Which rows are inside, by their scores.
    public enum Keeping: Sendable, Equatable {
        /// The given share of a split's rows, rounded down, with the highest scores; of equal scores the first rows. Half of
        /// the rows is what the sizes of the original's index files say.
        case highest(share: Double)
        /// Rows whose score is at least this.
        case atLeast(Double)

        func rows(of scores: [Double]) -> [Int] {
            switch self {
            case .highest(let share):
                let order = scores.indices.sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] > scores[$1] }
                let count = (Double(scores.count) * share).rounded(.down)
                return order.prefix(Int(max(0, min(count, Double(scores.count))))).sorted()
            case .atLeast(let threshold): return scores.indices.filter { scores[$0] >= threshold }
            }
        }
    }

    /// Whether a split's row is listed. A split that the index does not know has no listed rows.
    public func contains(_ row: Int, split: String) -> Bool {
        guard let rows = rows[split] else { return false }
        var low = 0
        var high = rows.count
        while low < high {
            let middle = (low + high) / 2
            if rows[middle] < row { low = middle + 1 } else { high = middle }
        }
        return low < rows.count && rows[low] == row
    }

    /// Checks that the index fits a split.
    /// - Throws: `DataError.invalidIndex` if it lacks the split, or lists a row beyond its end.
    public func check(split: String, rowCount: Int) throws {
        guard let rows = rows[split] else {
            throw DataError.invalidIndex(
                path: path,
                reason: "it has no rows for \"\(split)\", only for \(self.rows.keys.sorted().joined(separator: ", "))")
        }
        if let last = rows.last, last >= rowCount {
            throw DataError.invalidIndex(
                path: path,
                reason: "it lists row \(last) of \"\(split)\", which has \(rowCount) rows: it was made for other data")
        }
    }

    /// Writes the index as a JSON map.
    /// - Throws: `FileError`.
    public func write(to url: URL) throws {
        let file = try AtomicFile(url)
        let splits = rows.sorted { $0.key < $1.key }.map { split, rows in
            "\"\(split)\": [" + rows.map(String.init).joined(separator: ", ") + "]"
        }
        try file.write(("{" + splits.joined(separator: ",\n ") + "}\n").utf8)
        try file.commit()
    }

    private static func arrays(in folder: URL) throws -> [String: NumpyArray] {
        let names = try DataFolder.names(in: folder, expecting: "one .npy file for each split")
        var arrays: [String: NumpyArray] = [:]
        for name in names where name.lowercased().hasSuffix(".npy") {
            let file = folder.appendingPathComponent(name)
            let array = try reading { try NumpyArray(file) }
            guard array.shape.count == 1 else {
                throw DataError.invalidIndex(
                    path: file.path,
                    reason: "its shape is \(array.shape); one dimension was expected, one number for each row")
            }
            let split = String(name.dropLast(".npy".count))
            guard arrays.updateValue(array, forKey: split) == nil else {
                throw DataError.ambiguousSplit(split, files: names.filter { $0.lowercased() == split.lowercased() + ".npy" }.sorted())
            }
        }
        guard !arrays.isEmpty else {
            throw DataError.invalidIndex(
                path: folder.path, reason: "it holds no .npy file; expected train.npy and so on")
        }
        return arrays
    }

    /// A file that is not what an index is made of is no usable index.
    private static func reading<Content>(_ body: () throws -> Content) throws -> Content {
        do {
            return try body()
        } catch FormatError.badFile(let path, let reason) {
            throw DataError.invalidIndex(path: path, reason: reason)
        }
    }

    /// The longest index in JSON, in bytes.
    private static let sizeLimit = 1 << 26

    private static func json(_ url: URL) throws -> [String: [Int]] {
        func invalid(_ reason: String) -> DataError { .invalidIndex(path: url.path, reason: reason) }
        var scanner = JSONScanner(try reading { try ByteSource.content(of: url, limit: sizeLimit) }, allowsMark: true)
        var rows: [String: [Int]] = [:]
        do {
            guard scanner.peek() == UInt8(ascii: "{") else {
                let kind = try kindOfValue(&scanner)
                throw invalid("expected a map from split to row numbers, found \(kind)")
            }
            try scanner.object(allowsRepeatedKeys: true) { split, scanner in
                guard rows[split] == nil else { throw invalid("it names the split \(OneLine.quoted(split)) twice") }
                var numbers: [Int] = []
                let other = invalid("\(OneLine.quoted(split)) is not one list of whole numbers")
                guard scanner.peek() == UInt8(ascii: "[") else {
                    _ = try kindOfValue(&scanner)
                    throw other
                }
                try scanner.array { scanner in
                    if let byte = scanner.peek(), byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte) {
                        guard let number = Int(try scanner.numberText()) else { throw other }
                        numbers.append(number)
                    } else {
                        _ = try kindOfValue(&scanner)
                        throw other
                    }
                }
                rows[split] = numbers
            }
            try scanner.end()
        } catch let fault as JSONError {
            throw FormatError.malformedFile(RowLocation(file: url.path, line: fault.line), "not JSON: " + fault.reason)
        }
        return rows
    }

    /// Reads a value and says what kind of value it is.
    private static func kindOfValue(_ scanner: inout JSONScanner) throws -> String {
        let first = scanner.peek()
        try scanner.skipValue()
        return switch first {
        case UInt8(ascii: "["): "an array"
        case UInt8(ascii: "{"): "an object"
        case UInt8(ascii: "\""): "a string"
        case UInt8(ascii: "t"), UInt8(ascii: "f"): "a boolean"
        case UInt8(ascii: "n"): "null"
        default: "a number"
        }
    }
}
