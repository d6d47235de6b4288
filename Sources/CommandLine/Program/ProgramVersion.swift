internal import Runs
internal import Tensor

/// The output of `--version`: the version, and the compute libraries that affect the last bits of a result.
enum ProgramVersion {
    /// Readable lines with the version and commit, the kernels and the BLAS library.
    static func text(_ program: String) -> String {
        """
        \(program) \(PackageVersion.current) (swift-rlhf, \(Compute.commit.map { "commit \($0)" } ?? "unknown commit"))
        kernels: \(Compute.kernelDescription)
        BLAS: \(Compute.blasDescription)
        """
    }
}
