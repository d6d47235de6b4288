import Files
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
    /// - Throws: `DataError.unreadable`, `malformedFile`, `invalidIndex`.
    public init(_ url: URL) throws {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue {
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
            if let map = try PickledMap.read(url) {
                let rows = Dictionary(map.rows.map { ($0.name, $0.numbers) }) { first, _ in first }
                try self.init(rows: rows, path: url.path)
                return
            }
            _ = try NumpyArray(url)
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
    /// - Throws: `DataError.unreadable`, `invalidIndex`.
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
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        } catch {
            throw DataError.unreadable(path: folder.path, reason: "there is no such folder")
        }
        var arrays: [String: NumpyArray] = [:]
        for name in names.sorted() where name.hasSuffix(".npy") {
            let file = folder.appendingPathComponent(name)
            let array = try NumpyArray(file)
            guard array.shape.count == 1 else {
                throw DataError.invalidIndex(
                    path: file.path,
                    reason: "its shape is \(array.shape); one dimension was expected, one number for each row")
            }
            arrays[String(name.dropLast(".npy".count))] = array
        }
        guard !arrays.isEmpty else {
            throw DataError.invalidIndex(
                path: folder.path, reason: "it holds no .npy file; expected train.npy and so on")
        }
        return arrays
    }

    private static func json(_ url: URL) throws -> [String: [Int]] {
        var bytes: [UInt8] = []
        let source = try ByteSource(file: url)
        while try source.read(into: &bytes) {
            guard bytes.count <= NumpyArray.sizeLimit else {
                throw DataError.invalidIndex(path: url.path, reason: "it is larger than \(NumpyArray.sizeLimit) bytes")
            }
        }
        let value: OrderedJSON
        do {
            value = try OrderedJSON(parsing: bytes, file: url.path)
        } catch TokenizerError.malformed(_, let line, let reason) {
            throw DataError.malformedFile(RowLocation(file: url.path, line: line ?? 1), reason)
        }
        guard let members = value.members else {
            throw DataError.invalidIndex(
                path: url.path, reason: "expected a map from split to row numbers, found \(value.kind)")
        }
        var rows: [String: [Int]] = [:]
        for member in members {
            let numbers = member.value.array?.compactMap(\.integer)
            guard let numbers, numbers.count == member.value.array?.count, rows[member.key] == nil else {
                throw DataError.invalidIndex(
                    path: url.path, reason: "\"\(member.key)\" is not one list of whole numbers")
            }
            rows[member.key] = numbers
        }
        return rows
    }
}
