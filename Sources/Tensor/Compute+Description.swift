// Descriptions of the build and the compute backend, for version output and reports.
extension Compute {
    /// The commit of this package that was built; nil if the build did not record it.
    public static var commit: String? { Kernels.commit }

    /// The instruction set of the kernels in use, followed by all that this processor supports, such as "AVX2 (of portable,
    /// AVX2)".
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

    /// The name and version of OpenBLAS, and the processor core that its kernels are optimised for.
    public static var blasDescription: String { BLAS.description }
}
