// What computes, in words: for versions and reports.
extension Compute {
    /// The commit of this package that was built; nil where the build did not say.
    public static var commit: String? { Kernels.commit }

    /// The instruction set of the kernels that are used on this processor, and those that it could run.
    public static var kernelDescription: String {
        let levels = Kernels.available
        func name(_ level: Kernels.Level) -> String {
            switch level {
            case .portable: "portable"
            case .avx2: "AVX2"
            case .avx512: "AVX-512"
            case .amx: "AVX-512 with AMX"
            }
        }
        return (levels.last.map(name) ?? "portable") + " (of \(levels.map(name).joined(separator: ", ")))"
    }

    /// OpenBLAS with its version, and the core that its kernels are for.
    public static var blasDescription: String { BLAS.description }
}
