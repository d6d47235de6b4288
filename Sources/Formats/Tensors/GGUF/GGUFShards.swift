public import Foundation

/// A model in GGUF format: one file, or the parts `NAME-00001-of-00003.gguf` and so on in one folder.
///
/// The first part has the metadata. Each part records its index from 0 and the number of parts (`split.no`, `split.count`); the
/// first may also record the total number of tensors (`split.tensors.count`).
public struct GGUFShards: Sendable {
    /// The path of the first or only file, which error messages about the model name.
    public let path: String
    /// The metadata about the model and its tokenizer.
    public let metadata: [String: GGUFValue]
    /// The tensors of all parts.
    public let tensors: [StoredTensor]

    /// Opens a file, and the other parts if it is the first of several.
    ///
    /// - Throws: ``CheckpointError``, with the file's name and what is wrong with it.
    public init(_ url: URL) throws {
        let first = try GGUFFile(url)
        path = first.path
        metadata = first.metadata
        let count = try Self.number("split.count", of: first) ?? 1
        guard count > 1 else {
            tensors = first.tensors
            return
        }
        let parts = try [first] + Self.others(than: first, url, count: count)
        tensors = parts.flatMap(\.tensors)
        var names: Set<String> = []
        for tensor in tensors where !names.insert(tensor.name).inserted {
            throw CheckpointError.duplicateTensor(name: tensor.name, file: tensor.path)
        }
        if let all = try Self.number("split.tensors.count", of: first), all != tensors.count {
            throw CheckpointError.badFormat(
                file: path, reason: "its \(count) parts have \(tensors.count) tensors, but split.tensors.count is \(all)")
        }
    }

    private static func others(than first: GGUFFile, _ url: URL, count: Int) throws -> [GGUFFile] {
        guard let (stem, number, total) = split(url.lastPathComponent) else {
            throw CheckpointError.badFormat(
                file: first.path,
                reason: "this is one of \(count) parts (split.count), but its name does not end with -00001-of-\(padded(count)).gguf; "
                    + "rename the parts to their original names")
        }
        guard number == 1 else {
            throw CheckpointError.badFormat(
                file: first.path, reason: "this is part \(number) of a model; pass the first part, \(stem)-00001-of-\(padded(total)).gguf")
        }
        func check(_ file: GGUFFile, is number: Int) throws {
            let own = (number: try Self.number("split.no", of: file), count: try Self.number("split.count", of: file))
            guard own == (number - 1, count), total == count else {
                throw CheckpointError.badFormat(
                    file: file.path,
                    reason: "its name says part \(number) of \(total), but its metadata says part "
                        + "\(own.number.map { String($0 + 1) } ?? "?") of \(own.count.map(String.init) ?? "?")")
            }
        }
        try check(first, is: 1)
        return try (2...count).map { number in
            let name = "\(stem)-\(padded(number))-of-\(padded(count)).gguf"
            let file = try GGUFFile(url.deletingLastPathComponent().appendingPathComponent(name))
            try check(file, is: number)
            return file
        }
    }

    private static func number(_ key: String, of file: GGUFFile) throws -> Int? {
        guard let value = file.metadata[key] else { return nil }
        guard let number = value.int, number >= 0 else {
            throw CheckpointError.badFormat(file: file.path, reason: "\(key) is \(value.kind); expected a non-negative whole number")
        }
        return number
    }

    private static func padded(_ number: Int) -> String {
        String(repeating: "0", count: max(0, 5 - String(number).count)) + String(number)
    }

    /// The components of a name like `NAME-00001-of-00003.gguf`; nil for other names.
    private static func split(_ name: String) -> (stem: String, number: Int, total: Int)? {
        guard name.hasSuffix(".gguf") else { return nil }
        let parts = name.dropLast(5).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[parts.count - 2] == "of", let total = digits(parts[parts.count - 1]),
            let number = digits(parts[parts.count - 3]), number >= 1, number <= total
        else { return nil }
        return (parts.dropLast(3).joined(separator: "-"), number, total)
    }

    private static func digits(_ text: Substring) -> Int? {
        text.utf8.count == 5 && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }

    // MARK: Finding the file

    /// Weight files that take precedence over a GGUF file in the same model folder.
    private static let otherWeights = [
        "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
    ]

    /// The GGUF file for a path: the file itself, or the only GGUF model in a folder that has no other weights (its first part if
    /// it has several). Nil if the path does not lead to a GGUF file.
    ///
    /// - Throws: `CheckpointError.badFormat` for a folder with several models; `FileError.unreadable`.
    public static func file(at url: URL) throws -> URL? {
        let path = url.path
        switch try FileStatus.of(path)?.kind {
        case .file:
            let file = URL(fileURLWithPath: path, isDirectory: false)
            return path.hasSuffix(".gguf") || GGUFFile.isGGUF(file) ? file : nil
        case .folder:
            let names = try Folder.names(in: path)
            // skip the vision encoder of a multimodal model: its file name starts with "mmproj"
            let files = names.filter { $0.hasSuffix(".gguf") && !$0.hasPrefix("mmproj") }
            let firsts = files.filter { split($0).map { $0.number == 1 } ?? true }
            guard let name = firsts.first, !names.contains(where: otherWeights.contains) else { return nil }
            guard firsts.count == 1 else {
                throw CheckpointError.badFormat(
                    file: path,
                    reason: "this folder has \(firsts.count) GGUF models (\(firsts[0]), \(firsts[1])…); pass the path of one")
            }
            return URL(fileURLWithPath: path, isDirectory: true).appendingPathComponent(name, isDirectory: false)
        default:
            return nil
        }
    }
}
