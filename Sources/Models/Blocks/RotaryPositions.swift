public import Tensor

/// The rotary position embedding of a model. Its tables are extended on demand.
public final class RotaryPositions {
    package let settings: RotarySettings
    package let dim: Int
    private let pairs: RotaryPairs
    /// The table for positions 0..<n with the frequencies for sequences up to the trained length.
    private var plain: RotaryTable
    /// The table of the latest pass with a sequence beyond the trained length: one row for every row of the pass.
    private var stretched: (positions: [Int32], lengths: [Int32], table: RotaryTable)?

    /// Creates the embedding for the first `dim` channels of every head, which are rotated in `pairs`. An odd `dim` is rounded
    /// up.
    public init(_ settings: RotarySettings, dim: Int, pairs: RotaryPairs = .halves) {
        self.settings = settings
        self.dim = dim
        self.pairs = pairs
        plain = RotaryTable(cosines: .zeros([0, (dim + 1) / 2]), sines: .zeros([0, (dim + 1) / 2]))
    }

    /// Rotates the heads of every row of a layer's queries or keys.
    /// - Parameters:
    ///   - x: the queries or keys, [rows, heads·D].
    ///   - heads: the number of heads.
    ///   - context: the positions of the rows.
    ///   - wantedOnly: whether `x` holds only the wanted rows of the context.
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
        // double the size, so that a growing text does not need a new table for every token
        if last >= plain.positions { plain = table(of: max(last + 1, 2 * plain.positions, 256)) }
        return plain
    }

    /// A table for positions 0..<count with the frequencies for sequences up to the trained length.
    func table(of count: Int) -> RotaryTable {
        let frequencies = settings.frequencies(dim: dim, length: 0).map { Float($0) }
        return table((0..<count).map { ($0, frequencies) })
    }

    /// The table for length-dependent scaling if a sequence is longer than the trained length; nil otherwise.
    ///
    /// As in Transformers, all rows of a sequence that is processed at once are rotated for the whole length. A row that is added
    /// to a cache is rotated for the length up to that row; cached keys are not updated.
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

    /// One row of cosines and sines for each position and its frequencies. Angles are products of 32-bit floats, as in training.
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
