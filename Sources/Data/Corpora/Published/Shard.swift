import Foundation

/// The name of one part of a file that was cut into several: `train-00000-of-00003`.
struct Shard: Equatable {
    /// The name of the whole, `train`.
    let name: String
    /// Its number, from 0.
    let index: Int
    /// How many there are.
    let count: Int
    /// How many digits the numbers are written with.
    let width: Int

    /// A part by the name of its file, without the ending; nil for any other name. Its number may lie beyond their count, which no whole has.
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

    /// A part by its file; nil for one whose name says nothing of the kind.
    init?(file: URL) {
        guard let ending = Self.ending(of: file.lastPathComponent) else { return nil }
        self.init(file.lastPathComponent.dropLast(ending.count))
    }

    /// What a file of rows ends with, `.jsonl.gz`; nil for a file of another kind.
    static func ending(of file: String) -> String? {
        RowFormat.fileExtensions.flatMap { ["." + $0, "." + $0 + ".gz"] }.filter { file.lowercased().hasSuffix($0) }
            .max { $0.count < $1.count }
    }

    /// The name of another part.
    func stem(_ index: Int) -> String {
        func digits(_ number: Int) -> String { String(repeating: "0", count: max(0, width - "\(number)".count)) + "\(number)" }
        return "\(name)-\(digits(index))-of-\(digits(count))"
    }
}
