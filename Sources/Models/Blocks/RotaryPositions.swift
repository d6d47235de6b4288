public import Tensor

/// The rotary tables of a model, made as far as positions have been asked for.
public final class RotaryPositions {
    package let settings: RotarySettings
    package let dim: Int
    private let pairs: RotaryPairs
    /// Positions 0..<n at the frequencies of sequences up to the trained length.
    private var plain: RotaryTable
    /// The table of the last pass with a sequence beyond the trained length: one row for every row of the pass.
    private var stretched: (positions: [Int32], lengths: [Int32], table: RotaryTable)?

    /// Tables for the first `dim` channels of every head, which are turned in `pairs`; an odd `dim` takes one channel more.
    public init(_ settings: RotarySettings, dim: Int, pairs: RotaryPairs = .halves) {
        self.settings = settings
        self.dim = dim
        self.pairs = pairs
        plain = RotaryTable(cosines: .zeros([0, (dim + 1) / 2]), sines: .zeros([0, (dim + 1) / 2]))
    }

    /// Turns the heads of every row of a layer's queries or keys.
    /// - Parameter wantedOnly: whether `x` holds the wanted rows of the context alone.
    public func rotate(_ x: Tensor, heads: Int, in context: LayerContext, wantedOnly: Bool) -> Tensor {
        if let table = stretchedTable(context) {
            let rows =
                wantedOnly ? context.wanted ?? Array(context.positions.indices) : Array(context.positions.indices)
            return x.rotated(heads: heads, positions: rows.map { Int32($0) }, table: table, pairs: pairs)
        }
        let positions = wantedOnly ? context.queryPositions : context.positions
        return x.rotated(heads: heads, positions: positions, table: table(upTo: Int(context.positions.max() ?? 0)), pairs: pairs)
    }

    private func table(upTo last: Int) -> RotaryTable {
        // twice as many as there were, so that a text that grows does not make it anew for every token
        if last >= plain.positions { plain = table(of: max(last + 1, 2 * plain.positions, 256)) }
        return plain
    }

    /// A table of the positions 0..<count at the frequencies of sequences up to the trained length.
    func table(of count: Int) -> RotaryTable {
        let frequencies = settings.frequencies(dim: dim, length: 0).map { Float($0) }
        return table((0..<count).map { ($0, frequencies) })
    }

    /// A table for scaling that depends on the length, when a sequence is longer than the model was trained for; nil otherwise.
    ///
    /// As in Transformers, all rows of a sequence that is processed at once are turned for its whole length, and a row that comes to
    /// a cache is turned for the length that it makes; keys in the cache stay as they were.
    private func stretchedTable(_ context: LayerContext) -> RotaryTable? {
        guard let trained = settings.trainedLength else { return nil }
        let lengths = context.lengths ?? context.positions.map { $0 + 1 }
        guard let longest = lengths.max(), longest > trained else { return nil }
        if let stretched, stretched.positions == context.positions, stretched.lengths == lengths {
            return stretched.table
        }
        var frequencies: [Int32: [Float]] = [:]
        for length in lengths where frequencies[length] == nil {
            frequencies[length] = settings.frequencies(dim: dim, length: Int(length)).map { Float($0) }
        }
        let table = table(zip(context.positions, lengths).map { (Int($0), frequencies[$1] ?? []) })
        stretched = (context.positions, lengths, table)
        return table
    }

    /// One row of cosines and sines for each position and its frequencies. Angles are products of floats, as in training.
    private func table(_ rows: [(position: Int, frequencies: [Float])]) -> RotaryTable {
        let (half, magnitude) = ((dim + 1) / 2, Float(settings.magnitude))
        func fill(_ function: (Double) -> Double) -> Tensor {
            Tensor.uninitialized([rows.count, half]) { out in
                for (row, (position, frequencies)) in rows.enumerated() {
                    for (i, frequency) in frequencies.enumerated() {
                        out[row * half + i] = Float(function(Double(Float(position) * frequency))) * magnitude
                    }
                }
            }
        }
        return RotaryTable(cosines: fill { cosine($0) }, sines: fill { sine($0) })
    }
}
