// The choice of the kernels' instruction set, for measurements.
extension Compute {
    /// An instruction set that the kernels are built for. Each includes those before it.
    public enum InstructionSet: String, Sendable, CaseIterable {
        /// The compiler's default instructions of the architecture.
        case portable
        /// AVX2 with fused multiply-add.
        case avx2
        /// AVX-512, with its bfloat16 instructions if the processor has them.
        case avx512
        /// AVX-512 with the tile registers of AMX.
        case amx
    }

    /// The instruction sets that this processor supports, in ascending order. The kernels use the last one.
    public static var instructionSets: [InstructionSet] {
        let levels = Set(Kernels.available.map(\.rawValue))
        return InstructionSet.allCases.filter { levels.contains($0.level.rawValue) }
    }

    /// Calls `body`, in which all operations use the kernels of an instruction set, to measure what the others gain. Products in
    /// bfloat16 may then differ in the last bits.
    ///
    /// The set must be one of ``instructionSets``. OpenBLAS chooses its own kernels; its environment variable `OPENBLAS_CORETYPE`
    /// limits them.
    public static func withInstructionSet<Result>(_ set: InstructionSet, _ body: () throws -> Result) rethrows -> Result {
        precondition(instructionSets.contains(set), "this processor does not support the instruction set \(set.rawValue)")
        return try Kernels.$level.withValue(set.level, operation: body)
    }
}

extension Compute.InstructionSet {
    fileprivate var level: Kernels.Level {
        switch self {
        case .portable: .portable
        case .avx2: .avx2
        case .avx512: .avx512
        case .amx: .amx
        }
    }
}
