import Formats
import Tensor

/// Reading of the scaling of rotary positions.
extension GGUFMetadata {
    /// The value of `rope_scaling` in config.json; nil for none.
    func scaling(width: Int, _ facts: GGUFFacts) throws -> JSONValue? {
        let type = try text("rope.scaling.type")
        let isLong = type == "longrope" || facts.has("rope_factors_long.weight")
        try refuseUnreadScaling(isYaRN: type == "yarn", isLong: isLong)
        if let long = try facts.factors("rope_factors_long.weight"), let short = try facts.factors("rope_factors_short.weight") {
            return [
                "rope_type": "longrope", "long_factor": .array(long.map { JSONValue(Self.shortest($0)) }),
                "short_factor": .array(short.map { JSONValue(Self.shortest($0)) }),
            ]
        }
        if let factors = try facts.factors("rope_freqs.weight") {
            guard let found = LlamaScaling(factors: factors.map(Double.init), base: try number("rope.freq_base") ?? 10_000, dim: width)
            else {
                throw CheckpointError.badTensor(
                    file: path, name: "rope_freqs.weight",
                    reason:
                        "has factors of rotary frequencies that are not those of LLaMA 3's scaling; only that scaling is supported"
                )
            }
            return found.configuration
        }
        guard let type, type != "none" else {
            guard let factor = try number("rope.scale_linear"), factor != 1 else { return nil }
            return ["rope_type": "linear", "factor": JSONValue(factor)]
        }
        var result: JSONValue = ["rope_type": .string(type)]
        if let factor = try number("rope.scaling.factor") { result["factor"] = JSONValue(factor) }
        if let trained = try count("rope.scaling.original_context_length") {
            result["original_max_position_embeddings"] = JSONValue(trained)
        }
        if type == "yarn" { for member in try yarn() { result[member.key] = member.value } }
        return result
    }

    /// The additional parameters of YaRN, besides the factor and the trained length.
    ///
    /// Converters store the checkpoint's `beta_fast`, `beta_slow` and `attention_factor` with the prefix `yarn_`.
    /// `attention_factor` is the factor of cosines and sines. llama.cpp computes it as 1 + 0.1 · ln(factor), times `attn_factor`.
    private func yarn() throws -> [(key: String, value: JSONValue)] {
        var result: [(key: String, value: JSONValue)] = []
        for (own, key) in [("yarn_beta_fast", "beta_fast"), ("yarn_beta_slow", "beta_slow"), ("yarn_attn_factor", "attention_factor")] {
            if let number = try number("rope.scaling.\(own)") { result.append((key, JSONValue(Self.shortest(Float(number))))) }
        }
        if let share = try number("rope.scaling.attn_factor"), share != 1 {
            guard try number("rope.scaling.yarn_attn_factor") == nil else {
                throw ModelError.inFile(
                    path, .unsupported("two attention factors (\(architecture.rawValue).rope.scaling.attn_factor and yarn_attn_factor)"))
            }
            let factor = try number("rope.scaling.factor") ?? 1
            result.append(("attention_factor", JSONValue(share * (factor <= 1 ? 1 : 1 + 0.1 * logarithm(factor)))))
        }
        return result
    }

    /// Rejects scaling parameters that would change positions but are not supported.
    private func refuseUnreadScaling(isYaRN: Bool, isLong: Bool) throws {
        var harmless: [(name: String, values: [Double])] = [("alpha", [0, 1]), ("yarn_log_multiplier", [0])]
        if isYaRN {
            // a negative value stands for the default, which is 1
            if let share = try number("rope.scaling.yarn_ext_factor"), share >= 0 { harmless.append(("yarn_ext_factor", [1])) }
        } else if !isLong {
            harmless += [("attn_factor", [1]), ("yarn_attn_factor", [1])]
        }
        for (name, values) in harmless {
            guard let number = try number("rope.scaling.\(name)"), !values.contains(number) else { continue }
            throw ModelError.inFile(
                path, .unsupported("position scaling with \(name) = \(number) (\(architecture.rawValue).rope.scaling.\(name))"))
        }
    }

    private static func shortest(_ number: Float) -> Double { Double(number.description) ?? Double(number) }
}
