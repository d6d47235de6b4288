public import Formats
public import Foundation
import Tensor

extension LanguageModel {
    /// The storage format of weights in a GGUF file.
    public enum GGUFType: String, Sendable, CaseIterable {
        /// Unquantised elements: 32-bit floats, 16-bit floats or bfloat16.
        case f32, f16, bf16
        /// Blocks of 32 8-bit integers with a common scale.
        case q8_0

        /// The value of `general.file_type` for this format.
        var number: UInt64 {
            switch self {
            case .f32: 0
            case .f16: 1
            case .q8_0: 7
            case .bf16: 32
            }
        }
    }

    /// The name of this model's architecture in GGUF; nil if it is not supported.
    public var ggufArchitecture: String? {
        (decoder.configuration()["model_type"]?.string).flatMap { GGUFArchitecture(modelType: $0)?.rawValue }
    }

    /// Checks that the model can be saved as a GGUF file, for example before it is trained.
    /// - Throws: ``ModelError/noGGUF(_:)`` if it cannot.
    public func checkGGUF() throws {
        let type = decoder.configuration()["model_type"]?.string ?? ""
        guard let architecture = GGUFArchitecture(modelType: type), let settings = try ggufSettings(SpecialTokens()) else {
            throw ModelError.noGGUF("models of type '\(type)' cannot be saved as GGUF")
        }
        _ = try settings.metadata()
        _ = try settings.factors()
        let added = Set((decoder.adapter?.parameters ?? []).map(\.name))
        if let parameter = decoder.parameters.first(where: { !added.contains($0.name) && architecture.name(checkpoint: $0.name) == nil }) {
            throw ModelError.noGGUF("a model with the weight \(parameter.name) cannot be saved as GGUF")
        }
    }

    private func ggufSettings(_ tokens: SpecialTokens) throws -> GGUFSettings? {
        let configuration = savedConfiguration(tokens, .float32)
        return GGUFArchitecture(modelType: configuration["model_type"]?.string ?? "").map {
            GGUFSettings($0, ConfigurationReader(configuration), decoder.shape)
        }
    }

    /// Writes a GGUF file, which ``load(_:base:usesTanh:families:keepsPacking:note:)`` and llama.cpp can read. A value
    /// head is omitted, because the format has no place for it. An adapter is merged.
    ///
    /// - Parameters:
    ///   - file: the file to write.
    ///   - tokens: the IDs of special tokens.
    ///   - type: the format of matrices. Vectors are always F32; with Q8_0, matrices whose rows are not a multiple of 32 are
    ///     stored as F16, and matrices that are held in Q8_0 blocks are stored without rounding them again.
    ///   - tokenizer: the metadata of the tokenizer, with keys that begin with `tokenizer.`.
    ///   - note: receives one line for everything that is omitted from the file.
    /// - Throws: ``ModelError/noGGUF(_:)`` for a model whose architecture or settings are not supported in GGUF;
    ///   `CheckpointError`; `FileError`.
    public func saveGGUF(
        to file: URL, tokens: SpecialTokens = SpecialTokens(), as type: GGUFType = .f32,
        tokenizer: [(key: String, value: GGUFValue)] = [], note: (String) -> Void = { _ in }
    ) throws {
        if decoder.adapter != nil { return try merged().saveGGUF(to: file, tokens: tokens, as: type, tokenizer: tokenizer, note: note) }
        let configuration = savedConfiguration(tokens, .float32)
        let model = configuration["model_type"]?.string ?? ""
        guard let architecture = GGUFArchitecture(modelType: model) else {
            throw ModelError.noGGUF("models of type '\(model)' cannot be saved as GGUF")
        }
        guard let settings = try ggufSettings(tokens) else {
            throw ModelError.noGGUF("models of type '\(model)' cannot be saved as GGUF")
        }
        if head != nil { note("the value head is not saved, because the GGUF format does not support it") }
        var writer = GGUFWriter(architecture: architecture.rawValue)
        writer.add("general.type", .string(Array("model".utf8)))
        writer.add("general.file_type", .unsigned(type.number))
        writer.add("general.quantization_version", .unsigned(2))
        for (key, value) in try settings.metadata() { writer.add("\(architecture.rawValue).\(key)", value) }
        for (key, value) in tokenizer { writer.add(key, value) }
        for (key, name) in [("bos_token_id", "bos"), ("eos_token_id", "eos"), ("pad_token_id", "padding")] {
            let value = configuration[key]
            if let id = value?.int ?? value?.array?.first?.int, id >= 0 {
                writer.add("tokenizer.ggml.\(name)_token_id", .unsigned(UInt64(id)))
            }
        }
        for (name, factors) in try settings.factors() {
            writer.add(WritableTensor(name, shape: [factors.count], values: factors.map(Float.init)))
        }
        let order = GGUFWeightOrder(architecture: architecture, heads: decoder.shape.heads, keyHeads: decoder.shape.keyHeads)
        for parameter in decoder.parameters {
            try add(parameter, to: &writer, order, as: type)
        }
        if decoder.isTied, architecture == .gptneox || architecture == .gpt2 {
            // readers of these architectures expect a separate projection
            try add(decoder.projection, to: &writer, order, as: type, named: .init(layer: nil, part: "output", suffix: ".weight"))
        }
        try writer.write(to: file)
    }

    private func add(
        _ parameter: Parameter, to writer: inout GGUFWriter, _ order: GGUFWeightOrder, as type: GGUFType,
        named: GGUFArchitecture.Name? = nil
    ) throws {
        guard let name = named ?? order.architecture.name(checkpoint: parameter.name) else {
            throw ModelError.noGGUF("a model with the weight \(parameter.name) cannot be saved as GGUF")
        }
        let shape = parameter.value.shape.dimensions
        let change = order.change(name)
        // position embeddings are added, not multiplied
        let isMatrix = shape.count == 2 && name.part != "position_embd"
        let isQuantised = isMatrix && type == .q8_0 && shape[1] % 32 == 0
        let elements: ElementType =
            switch type {
            case .bf16 where isMatrix: .bfloat16
            case .f16 where isMatrix: .float16
            case .q8_0 where isMatrix && !isQuantised: .float16
            default: .float32
            }
        // matrices that checkpoints store transposed are not transposed in memory, nor in a GGUF file
        precondition((change == .turned) == decoder.isStoredTransposed(parameter), "\(parameter.name) is transposed in one format")
        let rows = try fileRows(change, of: parameter)
        let value = parameter.value.unrounded
        if isQuantised, let blocks = value.storage.narrow, blocks.format == .q8 {
            return writer.addBlocks(name.gguf, shape: shape) { sink in
                defer { value.storage.forget() }
                try blocks.forEachPart(width: shape[1], rows: rows, sink)
            }
        }
        let tensor: WritableTensor
        if change == .plusOne {
            tensor = WritableTensor(name.gguf, shape: shape, as: elements) { value.values.map { $0 + 1 } }
        } else if let rows {
            tensor = WritableTensor(name.gguf, shape: shape, as: elements) { body in
                defer { value.storage.forget() }
                let matrix = value.reshaped([shape[0], shape.dropFirst().reduce(1, *)])
                for part in Self.parts(of: rows, bytesPerRow: matrix.shape[1] * 4) {
                    try matrix.rows(part).withUnsafeBufferPointer(body)
                }
            }
        } else {
            tensor = WritableTensor(name.gguf, parameter.value, as: elements)
        }
        if isQuantised { writer.addQuantised(tensor) } else { writer.add(tensor) }
    }

    /// For each row of a parameter's tensor in the file, the row of the parameter; nil if the order is the same.
    private func fileRows(_ change: GGUFWeightOrder.Change, of parameter: Parameter) throws -> [Int]? {
        switch change {
        case .none, .turned, .plusOne: return nil
        case .interleaved, .byKind:
            let shape = parameter.value.shape.dimensions
            guard let places = GGUFWeightOrder.order(change, rows: shape[0]) else {
                throw ModelError.noGGUF("\(parameter.name) of shape \(shape) cannot be divided among heads")
            }
            var rows = [Int](repeating: 0, count: places.count)
            for (row, place) in places.enumerated() { rows[Int(place)] = row }
            return rows
        }
    }

    /// Cuts a list of rows into parts of about a megabyte.
    fileprivate static func parts(of rows: [Int], bytesPerRow: Int) -> [[Int]] {
        let length = max(1, (1 << 20) / max(1, bytesPerRow))
        return stride(from: 0, to: rows.count, by: length).map { Array(rows[$0..<min(rows.count, $0 + length)]) }
    }
}

extension NarrowElements {
    /// Calls `body` with the Q8_0 blocks of a matrix with rows of `width` elements: with all of them, or with those of the given
    /// rows, part by part.
    fileprivate func forEachPart(width: Int, rows: [Int]?, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        defer { withExtendedLifetime(self) {} }
        guard let rows else { return try body(UnsafeRawBufferPointer(start: bytes, count: format.byteCount(of: count))) }
        let length = format.byteCount(of: width)
        for part in LanguageModel.parts(of: rows, bytesPerRow: length) {
            var blocks: [UInt8] = []
            blocks.reserveCapacity(part.count * length)
            for row in part { blocks.append(contentsOf: UnsafeRawBufferPointer(start: bytes + row * length, count: length)) }
            try blocks.withUnsafeBytes(body)
        }
    }
}
