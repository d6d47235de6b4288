internal import Runs
internal import Tensor

/// What `--version` says: the version, and what decides the last bits of a result.
enum ProgramVersion {
    /// Lines for people.
    static func text(_ program: String) -> String {
        """
        \(program) \(PackageVersion.current) (swift-rlhf, \(Compute.commit.map { "commit \($0)" } ?? "unknown commit"))
        kernels: \(Compute.kernelDescription)
        BLAS: \(Compute.blasDescription)
        """
    }
}
