import Formats

/// The changes that GGUF converters make to the weights of a family, and their inverse.
struct GGUFWeightOrder {
    let architecture: GGUFArchitecture
    let heads: Int
    let keyHeads: Int

    /// How the rows or elements of a tensor in GGUF differ from those in Hugging Face's checkpoints.
    enum Change: Equatable {
        case none
        /// The n channels of each head are in the order 0, n/2, 1, n/2 + 1, …, so that channels that are rotated together are
        /// neighbours.
        case interleaved(heads: Int)
        /// The rows are all queries, then all keys, then all values; checkpoints have query, key and value of each head in turn.
        case byKind(heads: Int)
        /// The matrix is transposed; checkpoints have [inputs, outputs].
        case turned
        /// 1 has been added to the elements.
        case plusOne
    }

    /// The change that a converter makes to a tensor.
    func change(_ name: GGUFArchitecture.Name) -> Change {
        switch (architecture, name.part) {
        case (.llama, "attn_q"): .interleaved(heads: heads)
        case (.llama, "attn_k"): .interleaved(heads: keyHeads)
        case (.gptneox, "attn_qkv"): .byKind(heads: heads)
        case (.gpt2, "attn_qkv"), (.gpt2, "attn_output"), (.gpt2, "ffn_up"), (.gpt2, "ffn_down"): name.suffix == ".weight" ? .turned : .none
        case (_, let part) where architecture.addsOneToNorms && part.hasSuffix("norm") && name.suffix == ".weight": .plusOne
        default: .none
        }
    }

    /// For each row of a checkpoint's tensor, the row of the GGUF file that holds it; nil if the number of rows is not a multiple
    /// of the heads.
    static func order(_ change: Change, rows: Int) -> [Int32]? {
        switch change {
        case .interleaved(let heads):
            guard heads > 0, rows % (2 * heads) == 0 else { return nil }
            let (size, half) = (rows / heads, rows / heads / 2)
            return (0..<rows).map { row in
                let (head, channel) = row.quotientAndRemainder(dividingBy: size)
                return Int32(head * size + channel % half * 2 + channel / half)
            }
        case .byKind(let heads):
            guard heads > 0, rows % (3 * heads) == 0 else { return nil }
            let size = rows / 3 / heads
            return (0..<rows).map { row in
                let (head, within) = row.quotientAndRemainder(dividingBy: 3 * size)
                return Int32(within / size * heads * size + head * size + within % size)
            }
        case .none, .turned, .plusOne: return Array(0..<Int32(rows))
        }
    }

    /// A tensor of a GGUF file, restored to its form in checkpoints.
    /// - Throws: `CheckpointError.badTensor` for a shape that does not fit the change.
    func restored(_ tensor: StoredTensor, _ name: GGUFArchitecture.Name) throws -> StoredTensor {
        let change = change(name)
        func bad() -> CheckpointError {
            .badTensor(
                file: tensor.path, name: tensor.name,
                reason: "has the shape \(tensor.shape), which cannot be divided among \(heads) heads and \(keyHeads) key heads")
        }
        switch change {
        case .none: return tensor
        case .plusOne:
            guard let sum = tensor.adding(-1) else { throw bad() }
            return sum
        case .turned:
            guard let turned = tensor.exchanged() else {
                throw CheckpointError.badTensor(
                    file: tensor.path, name: tensor.name, reason: "has the shape \(tensor.shape); expected a matrix")
            }
            return turned
        case .interleaved, .byKind:
            guard let rows = tensor.shape.first, rows < 1 << 31, let order = Self.order(change, rows: rows), let moved = tensor.rows(order)
            else { throw bad() }
            return moved
        }
    }
}
