import Formats
import Tensor

/// Stretched positions, as GGUF files describe them.
extension GGUFMetadata {
    /// `rope_scaling` of config.json; nil where positions are as they are.
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
                        "holds factors of rotary frequencies that are not those of LLaMA 3's scaling, the only one of that kind that is read"
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

    /// What YaRN has beside a factor and the trained length.
    ///
    /// Converters write the checkpoint's `beta_fast`, `beta_slow` and `attention_factor` behind `yarn_`; the last is what cosines and sines are
    /// multiplied by. llama.cpp multiplies them by YaRN's own 1 + 0.1 · ln(factor), times `attn_factor`.
    private func yarn() throws -> [(key: String, value: JSONValue)] {
        var result: [(key: String, value: JSONValue)] = []
        for (own, key) in [("yarn_beta_fast", "beta_fast"), ("yarn_beta_slow", "beta_slow"), ("yarn_attn_factor", "attention_factor")] {
            if let number = try number("rope.scaling.\(own)") { result.append((key, JSONValue(Self.shortest(Float(number))))) }
        }
        if let share = try number("rope.scaling.attn_factor"), share != 1 {
            guard try number("rope.scaling.yarn_attn_factor") == nil else {
                throw ModelError.inFile(
                    path, .unsupported("two factors of attention (\(architecture.rawValue).rope.scaling.attn_factor and yarn_attn_factor)"))
            }
            let factor = try number("rope.scaling.factor") ?? 1
            result.append(("attention_factor", JSONValue(share * (factor <= 1 ? 1 : 1 + 0.1 * logarithm(factor)))))
        }
        return result
    }

    /// Refuses numbers of scaling that would change positions and are not read.
    private func refuseUnreadScaling(isYaRN: Bool, isLong: Bool) throws {
        var harmless: [(name: String, values: [Double])] = [("alpha", [0, 1]), ("yarn_log_multiplier", [0])]
        if isYaRN {
            // below 0 stands for what is usual, which is 1
            if let share = try number("rope.scaling.yarn_ext_factor"), share >= 0 { harmless.append(("yarn_ext_factor", [1])) }
        } else if !isLong {
            harmless += [("attn_factor", [1]), ("yarn_attn_factor", [1])]
        }
        for (name, values) in harmless {
            guard let number = try number("rope.scaling.\(name)"), !values.contains(number) else { continue }
            throw ModelError.inFile(
                path, .unsupported("scaled positions with a \(name) of \(number) (\(architecture.rawValue).rope.scaling.\(name))"))
        }
    }

    private static func shortest(_ number: Float) -> Double { Double(number.description) ?? Double(number) }
}
