import Foundation

/// The name of one shard of a split that is stored in several files: `train-00000-of-00003`.
struct Shard: Equatable {
    /// The name without the numbers: `train`.
    let name: String
    /// The number of the shard, from 0.
    let index: Int
    /// The number of shards.
    let count: Int
    /// The number of digits of each number.
    let width: Int

    /// Parses a file name without its extension; nil for any other name. The index is not checked against the count.
    init?(_ stem: some StringProtocol) {
        let parts = stem.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[parts.count - 2] == "of" else { return nil }
        let (number, total) = (parts[parts.count - 3], parts[parts.count - 1])
        guard !number.isEmpty, number.count == total.count,
            [number, total].allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let index = Int(number), let count = Int(total), count <= 1_000_000
        else { return nil }
        name = parts.dropLast(3).joined(separator: "-")
        (self.index, self.count, width) = (index, count, number.count)
    }

    /// Parses the name of a file; nil if it is not a shard.
    init?(file: URL) {
        guard let ending = Self.ending(of: file.lastPathComponent) else { return nil }
        self.init(file.lastPathComponent.dropLast(ending.count))
    }

    /// The extension of a file of rows, such as `.jsonl.gz`; nil for a file of another kind.
    static func ending(of file: String) -> String? {
        RowFormat.fileExtensions.flatMap { ["." + $0, "." + $0 + ".gz"] }.filter { file.lowercased().hasSuffix($0) }
            .max { $0.count < $1.count }
    }

    /// The name, without extension, of another shard of the same split.
    func stem(_ index: Int) -> String {
        func digits(_ number: Int) -> String { String(repeating: "0", count: max(0, width - "\(number)".count)) + "\(number)" }
        return "\(name)-\(digits(index))-of-\(digits(count))"
    }
}
