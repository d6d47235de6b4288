import Train

/// The rules of settings of the optimiser that all training programs share.
enum OptimizerRules {
    /// Checks the name of an optimiser, and that it uses the epsilon if one is given.
    /// - Throws: `InvalidSetting`.
    static func check(_ name: String, epsilon: Double) throws {
        guard let kind = OptimizerKind(rawValue: name) else {
            throw InvalidSetting("--optimizer is '\(name)'; expected \(OptimizerKind.list)")
        }
        guard kind != .lion || epsilon == AdamConfig().epsilon else {
            throw InvalidSetting("--adam-epsilon is \(epsilon); it has no effect with --optimizer lion; remove it")
        }
    }
}
