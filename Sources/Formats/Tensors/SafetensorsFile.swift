public import Foundation

/// A safetensors file, mapped into memory. Opening it reads only the header.
///
/// The whole header is validated before any tensor is returned: lengths, types, shapes, offsets, overlaps and gaps.
public struct SafetensorsFile: Sendable {
    /// The strings in `__metadata__`. Hugging Face's libraries require `"format": "pt"`.
    public let metadata: [String: String]
    /// The tensors in the order of the header.
    public let tensors: [StoredTensor]
    private let indexByName: [String: Int]
    private let path: String

    /// Opens a file and validates its header.
    ///
    /// - Throws: ``CheckpointError``, with the file's name and what is wrong with it.
    public init(_ url: URL) throws {
        let file = try MappedFile(url)
        let header = try SafetensorsHeader(file)
        metadata = header.metadata
        tensors = header.entries.map {
            StoredTensor(
                name: $0.name, elementType: $0.elementType, shape: $0.shape, strides: nil, file: file, range: $0.range)
        }
        indexByName = Dictionary(
            uniqueKeysWithValues: tensors.enumerated().map { ($0.element.name, $0.offset) })
        path = file.path
    }

    /// The tensor names in the order of the header.
    public var names: [String] { tensors.map(\.name) }

    /// The tensor with a name.
    ///
    /// - Throws: `CheckpointError.missingTensor`.
    public func tensor(_ name: String) throws -> StoredTensor {
        guard let index = indexByName[name] else {
            throw CheckpointError.missingTensor(name: name, file: path)
        }
        return tensors[index]
    }

    /// The elements of a tensor as 32-bit floats in row-major order.
    ///
    /// - Throws: `CheckpointError.missingTensor`, `.wrongElementType`, `.notFinite`.
    public func floats(of name: String) throws -> [Float] {
        try tensor(name).floats()
    }
}
