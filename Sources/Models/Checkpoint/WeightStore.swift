public import Formats
public import Foundation

/// The weights of a model folder in any of four formats, or of a GGUF file, by name.
///
/// Looks, in the order of Transformers, for `model.safetensors`, `model.safetensors.index.json` with its shards,
/// `pytorch_model.bin`, and `pytorch_model.bin.index.json` with its shards. Opening reads only headers; tensors stay in the
/// mapped files until they are used. Shards must be in the folder itself: an index cannot refer to another path.
public struct WeightStore: Sendable {
    /// The format of the weights.
    public enum Layout: String, Sendable, CaseIterable {
        /// A single safetensors file.
        case safetensors = "model.safetensors"
        /// Several safetensors files with an index.
        case shardedSafetensors = "model.safetensors.index.json"
        /// A single PyTorch file.
        case torch = "pytorch_model.bin"
        /// Several PyTorch files with an index.
        case shardedTorch = "pytorch_model.bin.index.json"
        /// A GGUF file, possibly split into several parts, of any name.
        case gguf

        /// The formats that are recognised by a file name, in the order of the search.
        static let named: [Layout] = [.safetensors, .shardedSafetensors, .torch, .shardedTorch]

        var isSharded: Bool { self == .shardedSafetensors || self == .shardedTorch }
    }

    /// The format of the weights.
    public let layout: Layout
    /// The path of the single weight file or the index, for error messages.
    public let path: String
    /// The names of all tensors, sorted.
    public let names: [String]
    private let tensors: [String: StoredTensor]

    /// The maximum size of an index, in bytes.
    private static let indexLimit = 64 << 20

    /// Opens the weights of a model folder.
    ///
    /// - Throws: `CheckpointError.noWeights` if there are none, or an error in one of the files.
    public init(folder: URL) throws {
        let present = try Layout.named.first { try FileStatus.of(folder.appendingPathComponent($0.rawValue)) != nil }
        guard let layout = present else { throw CheckpointError.noWeights(folder: folder.path) }
        let file = folder.appendingPathComponent(layout.rawValue)
        let tensors =
            layout.isSharded
            ? try Self.shards(index: file, folder: folder, layout: layout) : try Self.open(file, layout: layout)
        try self.init(tensors, layout: layout, path: file.path)
    }

    /// Opens a single weight file. A file with the extension `.safetensors` is read in that format, any other as a PyTorch
    /// archive.
    ///
    /// - Throws: an error in the file.
    public init(file: URL) throws {
        let layout: Layout = file.pathExtension == "safetensors" ? .safetensors : .torch
        try self.init(Self.open(file, layout: layout), layout: layout, path: file.path)
    }

    /// Opens the weights of a GGUF file, under the names of Hugging Face's checkpoints.
    init(_ model: GGUFModel) throws {
        try self.init(model.weights(), layout: .gguf, path: model.path)
    }

    private init(_ list: [StoredTensor], layout: Layout, path: String) throws {
        var tensors: [String: StoredTensor] = [:]
        for tensor in list where tensors.updateValue(tensor, forKey: tensor.name) != nil {
            throw CheckpointError.duplicateTensor(name: tensor.name, file: path)
        }
        self.tensors = tensors
        self.layout = layout
        self.path = path
        names = tensors.keys.sorted()
    }

    private static func open(_ file: URL, layout: Layout) throws -> [StoredTensor] {
        switch layout {
        case .safetensors, .shardedSafetensors: try SafetensorsFile(file).tensors
        case .torch, .shardedTorch: try TorchArchive(file).tensors
        case .gguf: try GGUFShards(file).tensors
        }
    }

    // MARK: Shards

    private static func shards(index: URL, folder: URL, layout: Layout) throws -> [StoredTensor] {
        let places = try weightMap(index)
        var found: [String: StoredTensor] = [:]
        for shard in Set(places.values).sorted() {
            for tensor in try open(folder.appendingPathComponent(shard), layout: layout) {
                // the index decides where a tensor is read from; tensors that it does not name are accepted
                let place = places[tensor.name]
                if let place, place != shard { continue }
                guard found.updateValue(tensor, forKey: tensor.name) == nil else {
                    throw CheckpointError.duplicateTensor(name: tensor.name, file: index.path)
                }
            }
        }
        for (name, shard) in places.sorted(by: { $0.key < $1.key }) where found[name] == nil {
            throw CheckpointError.missingTensor(name: name, file: folder.appendingPathComponent(shard).path)
        }
        return Array(found.values)
    }

    /// Reads the index, `{"metadata": …, "weight_map": {tensor: file}}`.
    private static func weightMap(_ index: URL) throws -> [String: String] {
        let file = try MappedFile(index)
        guard file.bytes.count <= indexLimit else {
            throw CheckpointError.tooLarge(
                file: file.path, part: "the index", size: file.bytes.count, limit: indexLimit)
        }
        try file.checkIsNoPointerFile()
        return try CheckpointError.inJSON(of: file.path) { try weightMap(Array(file.bytes), of: file.path) }
    }

    private static func weightMap(_ text: [UInt8], of file: String) throws -> [String: String] {
        var scanner = JSONScanner(text)
        var places: [String: String]?
        try scanner.object { key, scanner in
            guard key == "weight_map" else { return try scanner.skipValue() }
            var map: [String: String] = [:]
            try scanner.object { name, scanner in
                let shard = try scanner.string()
                guard isPlainName(shard) else { throw CheckpointError.unsafeName(file: file, name: shard) }
                map[name] = shard
            }
            places = map
        }
        try scanner.end()
        guard let places else { throw scanner.error("the index has no weight_map") }
        return places
    }

    /// Whether a file name is a plain name without path, so that it cannot refer to another folder.
    package static func isPlainName(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".."
            && !name.unicodeScalars.contains { $0 == "/" || $0 == "\\" || $0.value < 0x20 }
    }

    // MARK: Access

    /// Whether a tensor of this name is stored.
    public func contains(_ name: String) -> Bool { tensors[name] != nil }

    /// The stored tensor of a name.
    ///
    /// - Throws: `CheckpointError.missingTensor`; `.wrongShape` if `shape` is given and differs.
    public func tensor(_ name: String, shape: [Int]? = nil) throws -> StoredTensor {
        guard let tensor = tensors[name] else {
            throw CheckpointError.missingTensor(name: name, file: path)
        }
        if let shape { try tensor.checkShape(shape) }
        return tensor
    }

    /// The shape of a stored tensor.
    ///
    /// - Throws: `CheckpointError.missingTensor`.
    public func shape(of name: String) throws -> [Int] { try tensor(name).shape }

    /// The element type of a stored tensor.
    ///
    /// - Throws: `CheckpointError.missingTensor`.
    public func elementType(of name: String) throws -> ElementType { try tensor(name).elementType }

    /// The elements of a tensor as 32-bit floats, in row-major order.
    ///
    /// - Throws: `CheckpointError.missingTensor`, `.wrongShape`, `.wrongElementType` or `.notFinite`.
    public func floats(of name: String, shape: [Int]? = nil) throws -> [Float] {
        try tensor(name, shape: shape).floats()
    }

    /// The bit patterns of a BF16 tensor, in row-major order. To access them without a copy, use ``tensor(_:shape:)`` and
    /// `StoredTensor.withUnsafeBytes`.
    ///
    /// - Throws: `CheckpointError.missingTensor`, `.wrongShape`, `.wrongElementType` or `.notFinite`.
    public func bfloat16Bits(of name: String, shape: [Int]? = nil) throws -> [UInt16] {
        try tensor(name, shape: shape).bfloat16Bits()
    }

    /// Checks that all stored tensors are among `expected`.
    ///
    /// - Throws: `CheckpointError.surplusTensor` for the first one that is not.
    public func checkSurplus(expected: Set<String>) throws {
        guard let name = names.first(where: { !expected.contains($0) }) else { return }
        throw CheckpointError.surplusTensor(name: name, file: path)
    }
}
