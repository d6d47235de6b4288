import Train

/// The rules of settings of the optimiser that all training programs share.
enum OptimizerRules {
    /// Checks the name of an optimiser, and that it uses the settings that are not the defaults.
    /// - Throws: `InvalidSetting`.
    static func check(_ name: String, beta1: Double, beta2: Double, epsilon: Double) throws {
        guard let kind = OptimizerKind(rawValue: name) else {
            throw InvalidSetting("--optimizer is '\(name)'; expected \(OptimizerKind.list)")
        }
        let usual = AdamConfig()
        for (option, value, usual, isUsed) in [
            ("--adam-beta1", beta1, usual.beta1, kind.usesBetas), ("--adam-beta2", beta2, usual.beta2, kind.usesBetas),
            ("--adam-epsilon", epsilon, usual.epsilon, kind.usesEpsilon),
        ] where !isUsed && value != usual {
            throw InvalidSetting("\(option) is \(value); it has no effect with --optimizer \(name); remove it")
        }
    }
}
