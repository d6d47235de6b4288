// The one file that imports CKernels.
package import CKernels

/// Access to the C kernels, which are compiled for several instruction sets.
///
/// Every operation uses `Kernels.current`: the best build that this processor supports, or, inside `Kernels.$level.withValue`,
/// the build that a test selects.
package enum Kernels {
    /// The function table of one build.
    package typealias Table = swk_kernel_table
    package typealias Segment = swk_segment
    package typealias AttentionArrays = swk_attention
    package typealias Dropout = swk_dropout
    package typealias AdamSettings = swk_adam
    package typealias CodeMap = swk_code_map

    /// The instruction sets in ascending order; each level includes those before it.
    package enum Level: UInt32, CaseIterable, Sendable { case portable = 0, avx2 = 1, avx512 = 2, amx = 3 }

    /// Selects a build within a scope. Default: the best one.
    @TaskLocal package static var level: Level?

    nonisolated(unsafe) private static let best: UnsafePointer<Table> = table(Level(rawValue: swk_best_level().rawValue) ?? .portable)

    /// The table of each level; nil if the processor does not support it. They are constants; finding them asks the processor, which is
    /// slow in a virtual machine.
    nonisolated(unsafe) private static let tables = Level.allCases.map { swk_kernels(swk_level($0.rawValue)) }

    private static func table(_ level: Level) -> UnsafePointer<Table> {
        guard let table = tables[Int(level.rawValue)] else {
            preconditionFailure("this processor does not support the kernel level \(level)")
        }
        return table
    }

    /// The levels that this processor supports.
    package static var available: [Level] { Level.allCases.filter { $0.rawValue <= swk_best_level().rawValue } }

    /// The commit of this package that was built; nil if the build did not record it.
    package static var commit: String? {
        let text = String(cString: swk_commit())
        return text.isEmpty ? nil : text
    }

    /// The function table of the current scope.
    package static var current: UnsafePointer<Table> {
        level.map(table) ?? best
    }

    /// The maximum number of queries per segment and key/value head that ``Table``'s `attention_few` accepts.
    static var fewQueries: Int { Int(SWK_FEW_QUERIES) }

    /// The maximum number of queries, times query heads per key/value head, of a call of ``Table``'s `attention_prefix`.
    package static var prefixQueries: Int { Int(SWK_PREFIX_QUERIES) }

    /// The block sizes of ``Table``'s `f32_product`: rows of the packed panels, panels, and rows of the left-hand matrix at a
    /// time.
    static var panelDepth: Int { Int(SWK_PANEL_DEPTH) }
    static var panelGroup: Int { Int(SWK_PANEL_GROUP) }
    static var groupRows: Int { Int(SWK_GROUP_ROWS) }

    /// The number of elements that have a scale in common where moments are kept in 8 bits.
    package static var codeBlock: Int { Int(SWK_CODE_BLOCK) }

    /// The number of cells of a ``CodeMap`` on each side of 0.
    static var mapCells: Int { Int(SWK_MAP_CELLS) }
    /// The least absolute value of a cell. The cell below is the one of all smaller numbers.
    static func leastOfMapCell(_ cell: Int) -> Float {
        cell == 0 ? 0 : Float(bitPattern: UInt32(Int(SWK_MAP_FIRST) + cell) << UInt32(SWK_MAP_SHIFT))
    }

    /// The size in pairs of a tile of 16 by 32 elements, as ``Table``'s `split_product` reads it, and the depth that it processes
    /// at a time.
    static var splitTile: Int { Int(SWK_SPLIT_TILE) }
    static var splitDepth: Int { Int(SWK_SPLIT_DEPTH) }

    /// The buffer size in pairs for `rows` rows of a left-hand matrix in bfloat16. Rows are rounded up to whole blocks, because
    /// products may read that far.
    static func narrowedPairs(rows: Int, pairs: Int) -> Int {
        let block = Int(SWK_ROW_BLOCK)
        return (rows + block - 1) / block * block * pairs
    }

    /// The number of floats of scratch memory for attention over at most `keys` keys with heads of `dim` channels. If `isRounded`, it
    /// also suffices for ``Table``'s `attention_bf16`.
    package static func attentionWorkspace(keys: Int, dim: Int, backward: Bool, isRounded: Bool = false) -> Int {
        isRounded ? swk_attention_bf16_workspace(keys, dim, backward ? 1 : 0) : swk_attention_workspace(keys, dim, backward ? 1 : 0)
    }
    /// The number of additional floats of scratch memory for attention with relative positions.
    package static func relativeWorkspace(keys: Int, dim: Int) -> Int { swk_relative_workspace(keys, dim) }

    /// The number of floats of scratch memory for attention of several segments behind one prefix, with at most `keys` keys each.
    static func prefixWorkspace(keys: Int, dim: Int) -> Int { swk_prefix_workspace(keys, dim) }

    static func map(byteCount: Int) -> UnsafeMutableRawPointer? { swk_map(byteCount) }
    static func trim() { swk_trim() }
    static func unmap(_ block: UnsafeMutableRawPointer, byteCount: Int) { swk_unmap(block, byteCount) }
    static func reserve(byteCount: Int) -> UnsafeMutableRawPointer? { swk_reserve(byteCount) }
    static func open(_ block: UnsafeMutableRawPointer, byteCount: Int) -> Bool { swk_open(block, byteCount) != 0 }
    static func discard(_ block: UnsafeMutableRawPointer, byteCount: Int) { swk_discard(block, byteCount) }
    static func useHugePages(_ block: UnsafeMutableRawPointer, byteCount: Int) { swk_use_huge_pages(block, byteCount) }
    /// The bytes of a page of the system.
    static var pageSize: Int { swk_page_size() }
    /// The bytes of the machine's memory; 0 if unknown.
    static var machineMemory: Int { swk_machine_memory() }
    /// Whether the addresses of this process are limited (`ulimit -v`).
    static var addressesAreLimited: Bool { swk_addresses_are_limited() != 0 }

    /// The number of processors that this process may run on.
    package static var processorCount: Int { Int(swk_processor_count()) }

    /// Calls `body` for every index below `count` on up to `threads` threads of the pool; see ``Compute/forEach(_:_:)``.
    package static func parallel(
        threads: Int, count: Int, context: UnsafeMutableRawPointer,
        body: @convention(c) (UnsafeMutableRawPointer?, Int) -> Void
    ) {
        swk_parallel(Int32(threads), count, body, context)
    }

    /// Starts or ends a measurement of the pool; see ``poolTimes``.
    static func measurePool(_ on: Bool) { swk_measure_pool(on ? 1 : 0) }

    /// The number and the seconds of all measured jobs of the pool since the start of the process, and the seconds that each thread
    /// worked in them: first the calling threads, then the workers.
    static var poolTimes: (jobs: Int, seconds: Double, busy: [Double]) {
        var sums = swk_pool_sums()
        var busy = [UInt64](repeating: 0, count: 256)
        let count = Int(swk_pool_times(&sums, &busy, Int32(busy.count)))
        return (Int(sums.jobs), Double(sums.nanoseconds) * 1e-9, busy.prefix(count).map { Double($0) * 1e-9 })
    }

    /// A number that distinguishes the calling thread from all others that exist.
    static var thread: UInt { UInt(swk_thread()) }

    static func activation(_ following: FusedLinear.Following) -> swk_activation {
        switch following {
        case .nothing: SWK_IDENTITY
        case .relu: SWK_RELU
        case .gelu: SWK_GELU_ERF
        case .geluTanh: SWK_GELU_TANH
        }
    }
}
