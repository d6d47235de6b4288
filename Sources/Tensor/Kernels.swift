// The one file that imports CKernels.
package import CKernels

/// The C kernels of one instruction set.
///
/// `Kernels.current` is what every operation uses: the best that this processor runs, or, inside `Kernels.$level.withValue`, the
/// build that a test asks for.
package enum Kernels {
    package typealias Table = swk_kernel_table
    package typealias Segment = swk_segment
    package typealias AttentionArrays = swk_attention
    package typealias Dropout = swk_dropout
    package typealias AdamSettings = swk_adam

    package enum Level: UInt32, CaseIterable, Sendable { case portable = 0, avx2 = 1, avx512 = 2, amx = 3 }

    /// Set within a scope to use another build than the best one.
    @TaskLocal package static var level: Level?

    nonisolated(unsafe) private static let best: UnsafePointer<Table> = table(swk_best_level())

    private static func table(_ level: swk_level) -> UnsafePointer<Table> {
        guard let table = swk_kernels(level) else {
            preconditionFailure("this processor cannot run kernel level \(level)")
        }
        return table
    }

    /// The builds that this processor can run.
    package static var available: [Level] { Level.allCases.filter { $0.rawValue <= swk_best_level().rawValue } }

    /// The commit that was built; nil where the build did not say.
    package static var commit: String? {
        let text = String(cString: swk_commit())
        return text.isEmpty ? nil : text
    }

    package static var current: UnsafePointer<Table> {
        level.map { table(swk_level($0.rawValue)) } ?? best
    }

    /// The most queries of a segment and a key/value head that ``Table``'s `attention_few` is for.
    static var fewQueries: Int { Int(SWK_FEW_QUERIES) }

    /// How many rows of how many packed panels ``Table``'s `f32_product` uses at a time, and for how many rows of the other matrix.
    static var panelDepth: Int { Int(SWK_PANEL_DEPTH) }
    static var panelGroup: Int { Int(SWK_PANEL_GROUP) }
    static var groupRows: Int { Int(SWK_GROUP_ROWS) }

    /// Pairs of memory of a tile of 16 by 32 numbers that ``Table``'s `split_product` reads, and how much of the depth it reads at a time.
    static var splitTile: Int { Int(SWK_SPLIT_TILE) }
    static var splitDepth: Int { Int(SWK_SPLIT_DEPTH) }

    /// Pairs of memory for `rows` rows of a left-hand matrix in bfloat16: whole blocks of rows, because products may read that far.
    static func narrowedPairs(rows: Int, pairs: Int) -> Int {
        let block = Int(SWK_ROW_BLOCK)
        return (rows + block - 1) / block * block * pairs
    }

    package static func attentionWorkspace(keys: Int, dim: Int, backward: Bool) -> Int {
        swk_attention_workspace(keys, dim, backward ? 1 : 0)
    }
    package static func relativeWorkspace(keys: Int, dim: Int) -> Int { swk_relative_workspace(keys, dim) }

    static func map(byteCount: Int) -> UnsafeMutableRawPointer? { swk_map(byteCount) }
    static func trim() { swk_trim() }
    static func unmap(_ block: UnsafeMutableRawPointer, byteCount: Int) { swk_unmap(block, byteCount) }

    package static var processorCount: Int { Int(swk_processor_count()) }

    package static func parallel(
        threads: Int, count: Int, context: UnsafeMutableRawPointer,
        body: @convention(c) (UnsafeMutableRawPointer?, Int) -> Void
    ) {
        swk_parallel(Int32(threads), count, body, context)
    }

    static func activation(_ following: FusedLinear.Following) -> swk_activation {
        switch following {
        case .nothing: SWK_IDENTITY
        case .relu: SWK_RELU
        case .gelu: SWK_GELU_ERF
        case .geluTanh: SWK_GELU_TANH
        }
    }
}
