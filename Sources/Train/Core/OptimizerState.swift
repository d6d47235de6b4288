public import Tensor

/// What an optimiser keeps between two steps, by name, for a snapshot.
///
/// The moments of a parameter are `first.<parameter>`, also the momentum of Lion, and `second.<parameter>`. They are tensors of floats,
/// or 8-bit codes with a scale for every block. Adafactor keeps `row.<parameter>` and `column.<parameter>` of a matrix.
public struct OptimizerState {
    /// The optimiser that kept it.
    public var kind: OptimizerKind
    /// What is kept as floats.
    public var tensors: [String: Tensor]
    /// What is kept in 8 bits.
    public var codes: [String: MomentCodes]

    /// A state from its parts.
    public init(kind: OptimizerKind, tensors: [String: Tensor] = [:], codes: [String: MomentCodes] = [:]) {
        (self.kind, self.tensors, self.codes) = (kind, tensors, codes)
    }

    /// The name of a parameter's first moment, or of its momentum.
    static func first(_ name: String) -> String { "first.\(name)" }
    /// The name of a parameter's second moment.
    static func second(_ name: String) -> String { "second.\(name)" }
    /// The name of the second moments of a matrix's rows.
    static func row(_ name: String) -> String { "row.\(name)" }
    /// The name of the second moments of a matrix's columns.
    static func column(_ name: String) -> String { "column.\(name)" }

    /// The optimiser whose state has these names, for snapshots that do not name it: one without second moments is Lion.
    static func kind(ofNames names: some Collection<String>) -> OptimizerKind {
        names.isEmpty || names.contains { $0.hasPrefix(second("")) } ? .adamw : .lion
    }

    /// Checks that the state is that of a kind of optimiser.
    /// - Throws: ``TrainingError/stateMismatch(_:)``.
    func check(kind own: OptimizerKind) throws {
        guard kind != own else { return }
        throw TrainingError.stateMismatch(
            "it was saved with --optimizer \(kind.rawValue), and this run has --optimizer \(own.rawValue); "
                + "use --optimizer \(kind.rawValue), or start a new run")
    }

    /// The error for a parameter whose moments are missing or have another shape.
    func mismatch(_ name: String, shape: Shape) -> TrainingError {
        let names = [Self.first(name), Self.second(name), Self.row(name), Self.column(name)]
        let isKept = names.contains { tensors[$0] != nil || codes[$0] != nil }
        return .stateMismatch(
            isKept
                ? "its optimiser moments for \(name) do not fit its shape \(shape); check that the model is the same"
                : "it has no optimiser moments for \(name); check that the model and what is trained are the same")
    }
}
