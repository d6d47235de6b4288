import Formats
import Tensor

/// Reading of the scaling of rotary positions.
///
/// A setting that changes positions is read or rejected by its key; none is ignored.
extension GGUFMetadata {
    /// The value of `rope_scaling` in config.json; nil for none.
    /// - Parameters:
    ///   - width: the number of rotated channels of a head.
    ///   - facts: access to the tensors that hold factors of frequencies.
    /// - Throws: `ModelError.unsupported` or `CheckpointError`, with the path of the file.
    func scaling(width: Int, _ facts: GGUFFacts) throws -> JSONValue? {
        let type = try text("rope.scaling.type")
        let kind = try scalingKind(type, facts)
        try refuseUnreadScaling(kind)
        switch kind {
        case .long(let long, let short): return try longRoPE(long: long, short: short)
        case .divisors(let divisors): return try llama3(divisors, width: width)
        case .linear:
            guard let factor = try linearFactor(), factor != 1 || type == "linear" else { return nil }
            return try section("linear", factor: factor)
        case .named(let type):
            var result = try section(type, factor: number("rope.scaling.factor"))
            if type == "yarn" { for member in try yarn() { result[member.key] = member.value } }
            return result
        }
    }

    /// Where the scaling of positions comes from.
    private enum ScalingKind {
        /// Tensors with one factor per frequency, for long and for short sequences.
        case long([Float], [Float])
        /// A tensor with one divisor per frequency.
        case divisors([Float])
        /// Division of all positions by a factor, which may be 1. llama.cpp assumes it for files without a type.
        case linear
        /// Any other type.
        case named(String)
    }

    private func scalingKind(_ type: String?, _ facts: GGUFFacts) throws -> ScalingKind {
        let names = (long: "rope_factors_long.weight", short: "rope_factors_short.weight", divisors: "rope_freqs.weight")
        let (long, short) = (try facts.factors(names.long), try facts.factors(names.short))
        let divisors = try facts.factors(names.divisors)
        guard let tensor = long != nil || short != nil ? names.long : divisors != nil ? names.divisors : nil else {
            return [nil, "none", "linear"].contains(type) ? .linear : .named(type ?? "")
        }
        guard [nil, "none", "linear", tensor == names.long ? "longrope" : "llama3"].contains(type) else {
            throw unsupported("the tensor \(tensor) together with position scaling of type '\(type ?? "")'", "rope.scaling.type")
        }
        guard let divisors else {
            guard let long else { throw CheckpointError.missingTensor(name: names.long, file: path) }
            guard let short else { throw CheckpointError.missingTensor(name: names.short, file: path) }
            return .long(long, short)
        }
        guard long == nil, short == nil else {
            throw CheckpointError.badTensor(
                file: path, name: names.divisors, reason: "cannot be used together with \(long == nil ? names.short : names.long)")
        }
        return .divisors(divisors)
    }

    private func unsupported(_ what: String, _ name: String) -> ModelError {
        .inFile(path, .unsupported("\(OneLine.escaped(what)) (\(architecture.rawValue).\(OneLine.escaped(name.prefix(80))))"))
    }

    private func section(_ type: String, factor: Double?) throws -> JSONValue {
        var result: JSONValue = ["rope_type": .string(type)]
        if let factor { result["factor"] = JSONValue(factor) }
        if let trained = try count("rope.scaling.original_context_length") {
            result["original_max_position_embeddings"] = JSONValue(trained)
        }
        return result
    }

    /// The divisor of positions, also under the key of older files. 0 stands for 1.
    private func linearFactor() throws -> Double? {
        try (number("rope.scaling.factor") ?? number("rope.scale_linear")).map { $0 == 0 ? 1 : $0 }
    }

    private func llama3(_ divisors: [Float], width: Int) throws -> JSONValue {
        guard let found = LlamaScaling(factors: divisors.map(Double.init), base: try number("rope.freq_base") ?? 10_000, dim: width)
        else {
            throw CheckpointError.badTensor(
                file: path, name: "rope_freqs.weight",
                reason: "has factors of rotary frequencies that are not those of LLaMA 3's scaling; only that scaling is supported")
        }
        return found.configuration
    }

    /// LongRoPE. The file's `attn_factor` is the factor of cosines and sines. Without it, the factor follows from the two context
    /// lengths, as in config.json.
    private func longRoPE(long: [Float], short: [Float]) throws -> JSONValue {
        var result = try section("longrope", factor: nil)
        result["long_factor"] = .array(long.map { JSONValue(Self.shortest($0)) })
        result["short_factor"] = .array(short.map { JSONValue(Self.shortest($0)) })
        if let factor = try number("rope.scaling.attn_factor") {
            guard factor > 0 else { throw unsupported("an attention factor of \(factor)", "rope.scaling.attn_factor") }
            result["attention_factor"] = JSONValue(Self.shortest(Float(factor)))
        }
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

    /// The values with which a setting has no effect, by key below `rope.scaling`.
    private static let neutral: [(key: String, values: [Double])] = [
        ("factor", [0, 1]), ("attn_factor", [1]), ("yarn_attn_factor", [1]), ("yarn_beta_fast", [32]), ("yarn_beta_slow", [1]),
        ("alpha", [0, 1]), ("yarn_log_multiplier", [0]),
    ]

    /// Rejects scaling parameters that would change positions but are not read for this kind of scaling, and unknown ones.
    private func refuseUnreadScaling(_ kind: ScalingKind) throws {
        let read: [String] =
            switch kind {
            case .long: ["attn_factor"]
            case .divisors: []
            case .linear: try text("rope.scaling.type") == "none" ? [] : ["factor"]
            case .named("yarn"): ["factor", "attn_factor", "yarn_attn_factor", "yarn_beta_fast", "yarn_beta_slow"]
            case .named: ["factor"]
            }
        func check(_ name: String, _ shown: String, _ neutral: [Double]) throws {
            guard let number = try number(name), !neutral.contains(number) else { return }
            throw unsupported("position scaling with \(shown) = \(number)", name)
        }
        for (key, values) in Self.neutral where !read.contains(key) { try check("rope.scaling.\(key)", key, values) }
        // older files have this key in place of rope.scaling.factor
        if !read.contains("factor") || has("rope.scaling.factor") {
            let factor = try read.contains("factor") ? number("rope.scaling.factor") : nil
            try check("rope.scale_linear", "scale_linear", [0, 1] + (factor.map { [$0] } ?? []))
        }
        // a negative value stands for the default, which is 1 for YaRN and 0 otherwise
        if let share = try number("rope.scaling.yarn_ext_factor"), share >= 0 {
            let isYaRN = if case .named("yarn") = kind { true } else { false }
            try check("rope.scaling.yarn_ext_factor", "yarn_ext_factor", [isYaRN ? 1 : 0])
        }
        let known = Self.neutral.map(\.key) + ["yarn_ext_factor", "type", "original_context_length", "finetuned"]
        let prefix = "\(architecture.rawValue).rope.scaling."
        for key in values.keys.filter({ $0.hasPrefix(prefix) }).sorted() where !known.contains(String(key.dropFirst(prefix.count))) {
            throw unsupported("position scaling with an unknown setting", "rope.scaling.\(key.dropFirst(prefix.count))")
        }
    }

    private static func shortest(_ number: Float) -> Double { Double(number.description) ?? Double(number) }
}
