import Formats
public import Foundation

/// Row numbers for each split, for structured splits by a property that the rows themselves do not contain.
public struct SplitIndex: Sendable, Equatable {
    /// Ascending row numbers, from 0, by split.
    public let rows: [String: [Int]]
    /// The source of the index, for messages.
    public let path: String

    /// Creates an index from row numbers, by split.
    /// - Throws: `DataError.invalidIndex` if a number is negative or repeated, or two names mean the same split.
    public init(rows: [String: [Int]], path: String = "the index") throws {
        self.rows = try rows.reduce(into: [:]) { all, split in
            let sorted = split.value.sorted()
            if let first = sorted.first, first < 0 {
                throw DataError.invalidIndex(path: path, reason: "\"\(split.key)\" has the negative row number \(first)")
            }
            for (row, next) in zip(sorted, sorted.dropFirst()) where row == next {
                throw DataError.invalidIndex(path: path, reason: "\"\(split.key)\" lists the row number \(row) twice")
            }
            let name = ["valid": "validation", "val": "validation", "dev": "validation"][split.key] ?? split.key
            guard all[name] == nil else {
                throw DataError.invalidIndex(path: path, reason: "it lists the split \"\(name)\" twice")
            }
            all[name] = sorted
        }
        self.path = path
    }

    /// Reads an index: a JSON map from split to row numbers, the same map saved by NumPy as a Python dictionary
    /// (`.npy`), or a folder with one `<split>.npy` per split, which contains row numbers (integers) or one Boolean per
    /// row.
    /// - Throws: `FormatError.unreadable` or `malformedFile`; `DataError.invalidIndex`.
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
                        reason: "it holds scores, not row numbers; convert the scores to an index first")
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
                    "a single array does not name its split; pass a folder with train.npy, validation.npy and test.npy"
            )
        }
        try self.init(rows: Self.json(url), path: url.path)
    }

    /// Creates an index of the rows with the highest scores.
    /// - Parameters:
    ///   - scores: One score per row, by split.
    ///   - keeping: Which rows are in distribution.
    /// - Throws: `DataError.invalidIndex` if a score is NaN.
    public init(scores: [String: [Double]], keeping: Keeping = .highest(share: 0.5)) throws {
        var rows: [String: [Int]] = [:]
        for (split, scores) in scores {
            if let bad = scores.firstIndex(where: \.isNaN) {
                throw DataError.invalidIndex(path: "the scores", reason: "the score of row \(bad) of \"\(split)\" is NaN")
            }
            rows[split] = keeping.rows(of: scores)
        }
        try self.init(rows: rows)
    }

    /// Creates an index from a folder with one `<split>.npy` of floating-point scores per split.
    /// - Throws: `FormatError.unreadable` or `DataError.invalidIndex`.
    public init(scoresIn folder: URL, keeping: Keeping = .highest(share: 0.5)) throws {
        try self.init(scores: Self.arrays(in: folder).mapValues(\.elements.reals), keeping: keeping)
    }

    /// Which rows are in distribution, by their scores.
    public enum Keeping: Sendable, Equatable {
        /// The given share (0 to 1) of a split's rows, rounded down, with the highest scores. Of rows with equal
        /// scores, earlier ones are preferred. The sizes of the original implementation's index files correspond to a
        /// share of one half.
        case highest(share: Double)
        /// Rows whose score is at least this value.
        case atLeast(Double)

        /// The row numbers that are kept, in ascending order.
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

    /// Whether the index lists a row of a split. False for a split that the index does not contain.
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
    /// - Throws: `DataError.invalidIndex` if the split is missing, or a row number is too large.
    public func check(split: String, rowCount: Int) throws {
        guard let rows = rows[split] else {
            throw DataError.invalidIndex(
                path: path,
                reason: "it has no rows for \"\(split)\", only for \(self.rows.keys.sorted().joined(separator: ", "))")
        }
        if let last = rows.last, last >= rowCount {
            throw DataError.invalidIndex(
                path: path,
                reason: "it lists row \(last) of \"\(split)\", which has only \(rowCount) rows; the index was made for other data")
        }
    }

    /// Writes the index as a JSON map, atomically.
    /// - Throws: `FileError`.
    public func write(to url: URL) throws {
        let file = try AtomicFile(url)
        let splits = rows.sorted { $0.key < $1.key }.map { split, rows in
            "\"\(split)\": [" + rows.map(String.init).joined(separator: ", ") + "]"
        }
        try file.write(("{" + splits.joined(separator: ",\n ") + "}\n").utf8)
        try file.commit()
    }

    /// The one-dimensional arrays in the `.npy` files of a folder, by split.
    private static func arrays(in folder: URL) throws -> [String: NumpyArray] {
        let names = try DataFolder.names(in: folder, expecting: "one .npy file per split")
        var arrays: [String: NumpyArray] = [:]
        for name in names where name.lowercased().hasSuffix(".npy") {
            let file = folder.appendingPathComponent(name)
            let array = try reading { try NumpyArray(file) }
            guard array.shape.count == 1 else {
                throw DataError.invalidIndex(
                    path: file.path,
                    reason: "its shape is \(array.shape); expected one dimension, with one number per row")
            }
            let split = String(name.dropLast(".npy".count))
            guard arrays.updateValue(array, forKey: split) == nil else {
                throw DataError.ambiguousSplit(split, files: names.filter { $0.lowercased() == split.lowercased() + ".npy" }.sorted())
            }
        }
        guard !arrays.isEmpty else {
            throw DataError.invalidIndex(
                path: folder.path, reason: "it has no .npy files; expected train.npy, validation.npy and test.npy")
        }
        return arrays
    }

    /// Runs `body`; a badly formatted file is reported as an invalid index.
    private static func reading<Content>(_ body: () throws -> Content) throws -> Content {
        do {
            return try body()
        } catch FormatError.badFile(let path, let reason) {
            throw DataError.invalidIndex(path: path, reason: reason)
        }
    }

    /// The maximum size of a JSON index, in bytes.
    private static let sizeLimit = 1 << 26

    /// Reads a JSON map from split to row numbers.
    private static func json(_ url: URL) throws -> [String: [Int]] {
        func invalid(_ reason: String) -> DataError { .invalidIndex(path: url.path, reason: reason) }
        var scanner = JSONScanner(try reading { try ByteSource.content(of: url, limit: sizeLimit) }, allowsMark: true)
        var rows: [String: [Int]] = [:]
        do {
            guard scanner.peek() == UInt8(ascii: "{") else {
                let kind = try kindOfValue(&scanner)
                throw invalid("expected an object that maps each split to a list of row numbers, found \(kind)")
            }
            try scanner.object(allowsRepeatedKeys: true) { split, scanner in
                guard rows[split] == nil else { throw invalid("it names the split \(OneLine.quoted(split)) twice") }
                var numbers: [Int] = []
                let other = invalid("\(OneLine.quoted(split)) is not a list of integers")
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

    /// Skips a value and describes its type.
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
