import Train

/// The rules of settings of the optimiser that all training programs share.
enum OptimizerRules {
    /// Checks that no setting needs all gradients of a step at once if weights are updated in the backward pass.
    /// - Parameters:
    ///   - isWanted: whether they are updated in the backward pass.
    ///   - clipping: the option that clips gradients, with its value; nil without clipping.
    ///   - accumulation: the batches whose gradients are accumulated for a step.
    ///   - skipped: the batches that may be skipped.
    /// - Throws: `InvalidSetting`.
    static func checkBackward(_ isWanted: Bool, clipping: String?, accumulation: Int, skipped: Int) throws {
        guard isWanted else { return }
        func refuse(_ option: String, _ reason: String) -> InvalidSetting {
            InvalidSetting("--apply-in-backward true and \(option) cannot be combined: \(reason); remove one of them")
        }
        if let clipping {
            let off = clipping.hasPrefix("--max-grad-norm") ? " (--max-grad-norm 0 disables it)" : ""
            throw refuse(clipping, "clipping needs the norm of all gradients before the first weight is updated\(off)")
        }
        if accumulation > 1 {
            throw refuse("--gradient-accumulation-steps \(accumulation)", "gradients that are accumulated over batches must all be kept")
        }
        if skipped > 0 {
            throw refuse("--skip-bad-batches \(skipped)", "a bad gradient may be found when some weights are updated already")
        }
    }

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
