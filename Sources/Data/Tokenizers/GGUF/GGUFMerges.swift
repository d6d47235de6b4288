import Formats

/// The merges listed in a GGUF file, each two tokens separated by a space.
enum GGUFMerges {
    /// The merges, and notes about them for the user.
    ///
    /// - Throws: `TokenizerError.malformed`, naming the merge, if it is not two tokens or a token is not in the
    ///   vocabulary.
    static func table(
        _ merges: GGUFStrings, _ source: GGUFTokenizerMetadata, _ vocabulary: TokenTable
    ) throws -> (table: MergeTable, notes: [String]) {
        var table = MergeTable(capacity: merges.count)
        var repeated: Int?
        // both tokens without the space, which spell the merged token
        var both: [UInt8] = []
        for (rank, merge) in merges.enumerated() {
            func fault(_ reason: String) -> TokenizerError { source.fault("\(GGUFTokenizerMetadata.mergesKey)[\(rank)]", reason) }
            guard let cut = merge.firstIndex(of: UInt8(ascii: " ")), cut > merge.startIndex, cut + 1 < merge.endIndex,
                !merge[(cut + 1)...].contains(UInt8(ascii: " "))
            else { throw fault("expected two tokens separated by a space") }
            both.removeAll(keepingCapacity: true)
            both.append(contentsOf: merge[..<cut])
            both.append(contentsOf: merge[(cut + 1)...])
            let length = cut - merge.startIndex
            func id(_ range: Range<Int>) throws -> Int32 {
                if let id = both.withUnsafeBufferPointer({ vocabulary.id(of: UnsafeBufferPointer(rebasing: $0[range])) }) { return id }
                let text = OneLine.quoted(String(decoding: both[range], as: UTF8.self), limit: 40)
                throw fault("\(text) is not in the vocabulary")
            }
            let (left, right) = (try id(0..<length), try id(length..<both.count))
            let merge = MergeTable.Merge(rank: Int32(rank), result: try id(0..<both.count))
            if !table.insert(left: left, right: right, merge) { repeated = repeated ?? rank }
        }
        guard let repeated else { return (table, []) }
        let name = "\(source.file): \(GGUFTokenizerMetadata.mergesKey)[\(repeated)]"
        return (table, ["\(name): this merge appears twice in the list; the last one is used"])
    }
}
