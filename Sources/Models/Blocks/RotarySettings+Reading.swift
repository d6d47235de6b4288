import Tensor

extension RotarySettings {
    /// Reads `rope_theta` and `rope_scaling` (Transformers 4) or `rope_parameters` (Transformers 5).
    /// - Parameters:
    ///   - file: the configuration.
    ///   - contextLength: the context length of the model.
    ///   - layerKind: the kind of layers, if `rope_parameters` may have a section for each kind.
    ///   - base: the family's default base.
    ///   - baseKeys: the top-level keys of the base; the first that exists applies.
    ///   - trainedLength: `original_max_position_embeddings`, if the family stores it outside of the section.
    /// - Throws: ``ModelError`` for scaling that is not supported or lacks a value.
    public init(
        reading file: ConfigurationReader, contextLength: Int, layerKind: String? = nil, base: Double = 10_000,
        baseKeys: [String] = ["rope_theta"], trainedLength: Int? = nil
    ) throws {
        // if a file has both sections, the older one applies
        var name = "rope_scaling"
        var section = try file.section(name)
        if section == nil {
            name = "rope_parameters"
            section = try file.section(name)
        }
        if let layerKind, let nested = section, nested.hasSections {
            (name, section) = ("\(name).\(layerKind)", try nested.section(layerKind))
        }
        var found = try section?.positiveNumber("rope_theta")
        for key in baseKeys where found == nil { found = try file.positiveNumber(key) }
        let settled = found ?? base
        guard let section else {
            self.init(base: settled)
            return
        }
        func number(_ key: String) throws -> Double {
            guard let value = try section.positiveNumber(key) else {
                throw ModelError.configuration(key: "\(name).\(key)", problem: "is missing")
            }
            return value
        }
        let trained = try trainedLength ?? section.optionalCount("original_max_position_embeddings") ?? contextLength
        let type = try section.optionalString("rope_type") ?? section.optionalString("type") ?? "default"
        switch type {
        case "default": self.init(base: settled)
        case "linear": self.init(base: settled, scaling: .linear(factor: try number("factor")))
        case "dynamic":
            // Transformers stretches beyond max_position_embeddings, regardless of original_max_position_embeddings
            self.init(base: settled, scaling: .dynamic(factor: try number("factor"), trainedLength: contextLength))
        case "llama3":
            self.init(
                base: settled,
                scaling: .llama3(
                    factor: try number("factor"), lowFrequencyFactor: try number("low_freq_factor"),
                    highFrequencyFactor: try number("high_freq_factor"), trainedLength: trained))
        case "yarn":
            self.init(base: settled, scaling: .yarn(try YaRN(reading: section, factor: try number("factor"), trainedLength: trained)))
        case "longrope":
            let factor = try section.positiveNumber("factor") ?? Double(contextLength) / Double(trained)
            let magnitude =
                try section.positiveNumber("attention_factor")
                ?? (factor <= 1 ? 1 : (1 + logarithm(factor) / logarithm(Double(trained))).squareRoot())
            self.init(
                base: settled,
                scaling: .longRoPE(
                    short: try section.numbers("short_factor"), long: try section.numbers("long_factor"), magnitude: magnitude,
                    trainedLength: trained))
        default: throw ModelError.unsupported("rope scaling of type '\(type)'")
        }
    }

    /// Checks that LongRoPE has one positive factor for every frequency.
    func check(dim: Int) throws {
        guard case .longRoPE(let short, let long, _, _) = scaling else { return }
        for (key, list) in [("short_factor", short), ("long_factor", long)]
        where list.count != (dim + 1) / 2 || list.contains(where: { $0 <= 0 }) {
            throw ModelError.configuration(
                key: "rope_scaling.\(key)",
                problem: "has \(list.count) numbers; expected \((dim + 1) / 2) above 0, one for every two rotated channels")
        }
    }
}

extension RotarySettings.YaRN {
    init(reading section: ConfigurationReader, factor: Double, trainedLength: Int) throws {
        func magnitude(_ weight: Double) -> Double { factor <= 1 ? 1 : 0.1 * weight * logarithm(factor) + 1 }
        let (own, all) = (try section.optionalNumber("mscale") ?? 0, try section.optionalNumber("mscale_all_dim") ?? 0)
        let computed = own != 0 && all != 0 ? magnitude(own) / magnitude(all) : magnitude(1)
        self.init(
            factor: factor, trainedLength: trainedLength, betaFast: try section.positiveNumber("beta_fast") ?? 32,
            betaSlow: try section.positiveNumber("beta_slow") ?? 1, truncates: try section.flag("truncate", or: true),
            magnitude: try section.positiveNumber("attention_factor") ?? computed)
    }
}
