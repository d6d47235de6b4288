public import Foundation

/// Writes tensors in the safetensors format: one file, or shards with an index if they exceed a size limit.
///
/// Nothing is written if the disk has less free space than the tensors need. Tensors are fetched one at a time during writing. Each
/// file appears under its name when it is complete; the index, or the single file, is written last. Replacing a sharded checkpoint
/// in place is not atomic: a crash between two shards leaves a mixture of both versions. Where that matters, write to a new folder,
/// as `ModelFolder.save` does.
public struct SafetensorsWriter: Sendable {
    /// Maximum number of tensor bytes in one file. A larger tensor gets a file to itself. Default: 5 GB, as in Hugging Face's
    /// libraries.
    public var shardLimit: Int
    /// The strings for `__metadata__`. Transformers rejects files without `"format": "pt"`.
    public var metadata: [String: String]

    /// Creates a writer. `shardLimit` is in bytes and must be positive.
    public init(shardLimit: Int = 5_000_000_000, metadata: [String: String] = ["format": "pt"]) {
        precondition(shardLimit > 0, "the shard size limit must be positive")
        self.shardLimit = shardLimit
        self.metadata = metadata
    }

    /// The file name for weights in a single file.
    public static let singleFileName = "model.safetensors"
    /// The file name of the index of a sharded checkpoint.
    public static let indexFileName = "model.safetensors.index.json"

    // MARK: Folders

    /// Writes `model.safetensors`, or shards `model-00001-of-00003.safetensors` … and `model.safetensors.index.json`, and removes
    /// weight files of an earlier checkpoint from the folder.
    ///
    /// - Returns: The names of the files that contain tensors.
    /// - Throws: `CheckpointError.duplicateTensor`, `.wrongSize`, `.notRepresentable`, ``FileError``, or the error of a tensor
    ///   whose elements cannot be fetched.
    @discardableResult
    public func write(_ tensors: [WritableTensor], to folder: URL) throws -> [String] {
        try checkNames(tensors, file: folder.path)
        try DiskSpace.check(tensors.reduce(0) { $0 + $1.byteCount }, at: folder)
        let shards = divided(tensors)
        let names: [String]
        if shards.count == 1 {
            names = [Self.singleFileName]
            try write(tensors, toFile: folder.appendingPathComponent(Self.singleFileName))
        } else {
            names = (1...shards.count).map { Self.shardName($0, of: shards.count) }
            for (name, shard) in zip(names, shards) {
                try write(shard, toFile: folder.appendingPathComponent(name))
            }
            let index = indexText(shards: shards, names: names)
            try AtomicFile.write(index, to: folder.appendingPathComponent(Self.indexFileName))
        }
        try removeLeftovers(in: folder, keeping: Set(names))
        return names
    }

    private static func shardName(_ number: Int, of count: Int) -> String {
        func padded(_ value: Int) -> String {
            String(repeating: "0", count: max(0, 5 - String(value).count)) + String(value)
        }
        return "model-\(padded(number))-of-\(padded(count)).safetensors"
    }

    /// The tensors in the given order, divided into shards of at most `shardLimit` bytes.
    private func divided(_ tensors: [WritableTensor]) -> [[WritableTensor]] {
        var shards: [[WritableTensor]] = [[]]
        var size = 0
        for tensor in tensors {
            if size + tensor.byteCount > shardLimit, !shards[shards.count - 1].isEmpty {
                shards.append([])
                size = 0
            }
            shards[shards.count - 1].append(tensor)
            size += tensor.byteCount
        }
        return shards
    }

    private func indexText(shards: [[WritableTensor]], names: [String]) -> String {
        var places: [(tensor: String, file: String)] = []
        for (name, shard) in zip(names, shards) { places += shard.map { ($0.name, name) } }
        places.sort { $0.tensor < $1.tensor }
        let total = shards.joined().reduce(0) { $0 + $1.byteCount }
        let map = places.map { JSONValue.Member($0.tensor, .string($0.file)) }
        let index: JSONValue = ["metadata": ["total_size": JSONValue(total)], "weight_map": .object(map)]
        return index.text
    }

    private func removeLeftovers(in folder: URL, keeping: Set<String>) throws {
        let present = try Folder.names(in: folder.path)
        for name in present where !keeping.contains(name) {
            let isShard = name.hasPrefix("model-") && name.hasSuffix(".safetensors") && name.contains("-of-")
            let isOther =
                keeping.contains(Self.singleFileName) ? name == Self.indexFileName : name == Self.singleFileName
            guard isShard || isOther else { continue }
            let url = folder.appendingPathComponent(name)
            guard unlink(url.path) == 0 else {
                throw FileError.cannotWrite(path: url.path, .last)
            }
        }
    }

    // MARK: One file

    /// Writes all tensors into one file.
    ///
    /// - Throws: As `write(_:to:)`.
    public func write(_ tensors: [WritableTensor], toFile url: URL) throws {
        try checkNames(tensors, file: url.path)
        try DiskSpace.check(tensors.reduce(0) { $0 + $1.byteCount }, at: url)
        // the order of the safetensors library: by type, widest first, then by name
        let rank = Dictionary(uniqueKeysWithValues: ElementType.allCases.enumerated().map { ($1, $0) })
        let inOrder = tensors.sorted { first, second in
            first.elementType == second.elementType
                ? first.name.utf8.lexicographicallyPrecedes(second.name.utf8)
                : rank[first.elementType, default: 0] < rank[second.elementType, default: 0]
        }
        let file = try AtomicFile(url)
        let header = headerBytes(inOrder)
        try file.write(withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init))
        try file.write(header)
        for tensor in inOrder {
            try tensor.write(to: file.write, file: url.path)
        }
        try file.commit()
    }

    private func headerBytes(_ tensors: [WritableTensor]) -> [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let strings = metadata.sorted { $0.key < $1.key }
                .map { "\(JSONValue.quoted($0.key)):\(JSONValue.quoted($0.value))" }
            members.append("\"__metadata__\":{\(strings.joined(separator: ","))}")
        }
        var offset = 0
        for tensor in tensors {
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            let end = offset + tensor.byteCount
            members.append(
                "\(JSONValue.quoted(tensor.name)):{\"dtype\":\"\(tensor.elementType.rawValue)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        var bytes = Array("{\(members.joined(separator: ","))}".utf8)
        while bytes.count % 8 != 0 { bytes.append(UInt8(ascii: " ")) }
        return bytes
    }

    private func checkNames(_ tensors: [WritableTensor], file: String) throws {
        var seen: Set<String> = []
        for tensor in tensors {
            guard tensor.name != "__metadata__", seen.insert(tensor.name).inserted else {
                throw CheckpointError.duplicateTensor(name: tensor.name, file: file)
            }
        }
    }
}
