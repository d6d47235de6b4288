import Formats

/// The metadata of a GGUF file, read with the keys of one architecture.
struct GGUFMetadata {
    let values: [String: GGUFValue]
    let architecture: GGUFArchitecture
    let path: String

    private func fault(_ key: String, _ problem: String) -> CheckpointError { .badFormat(file: path, reason: "\(key) \(problem)") }

    private func value<Value>(_ key: String, _ kind: String, _ read: (GGUFValue) -> Value?) throws -> Value? {
        guard let found = values[key] else { return nil }
        guard let value = read(found) else { throw fault(key, "is \(found.kind); expected \(kind)") }
        return value
    }

    private func key(_ name: String) -> String { "\(architecture.rawValue).\(name)" }

    /// Whether the file has the key of this architecture.
    func has(_ name: String) -> Bool { values[key(name)] != nil }

    /// A positive integer below 2³¹; nil if the key is missing. If there is one value per layer, all must be equal.
    func count(_ name: String) throws -> Int? {
        let number = try value(key(name), "a whole number") { value -> Int? in
            guard let all = value.array?.integers else { return value.int }
            return Set(all).count == 1 ? all.first : nil
        }
        guard number.map({ $0 > 0 && $0 < 1 << 31 }) ?? true else { throw fault(key(name), "must be between 1 and 2³¹ − 1") }
        return number
    }

    /// A positive integer below 2³¹ under a key that must exist.
    func required(_ name: String) throws -> Int {
        guard let number = try count(name) else { throw fault(key(name), "is missing") }
        return number
    }

    /// The number of layers. Rejects more than 10,000, before memory is allocated for them.
    func layers() throws -> Int {
        let number = try required("block_count")
        guard number <= 10_000 else { throw fault(key("block_count"), "is \(number); at most 10000 is supported") }
        return number
    }

    /// A finite number; nil if the key is missing.
    func number(_ name: String) throws -> Double? {
        let number = try value(key(name), "a number", \.double)
        guard number?.isFinite ?? true else { throw fault(key(name), "is NaN or Inf") }
        return number
    }

    /// A Boolean; nil if the key is missing.
    func flag(_ name: String) throws -> Bool? { try value(key(name), "true or false", \.bool) }

    /// A string; nil if the key is missing.
    func text(_ name: String) throws -> String? { try value(key(name), "a string", \.string) }

    /// One Boolean for each layer; nil if the key is missing.
    func flags(_ name: String) throws -> [Bool]? {
        try value(key(name), "an array of true and false") { value in
            value.array?.bools ?? value.array?.integers?.map { $0 != 0 }
        }
    }

    /// Whether the value is an array.
    func isArray(_ name: String) -> Bool { values[key(name)]?.array != nil }

    /// The ID of a special token; nil if the key is missing.
    func token(_ name: String) throws -> Int? { try value("tokenizer.ggml.\(name)_token_id", "a whole number", \.int) }

    /// Rejects files that require features that no supported family has.
    /// - Throws: `ModelError.unsupported`, with the path of the file.
    func refuseUnknown() throws {
        func refuse(_ name: String, _ what: String) throws {
            throw ModelError.inFile(path, .unsupported("\(what) (\(key(name)))"))
        }
        if let experts = try value(key("expert_count"), "a whole number", \.int), experts > 0 {
            try refuse("expert_count", "mixture of experts with \(experts) experts")
        }
        for (name, what) in [
            ("embedding_scale", "scaled embeddings"), ("residual_scale", "scaled residuals"), ("logit_scale", "scaled logits"),
            ("attention.scale", "a different attention scale"),
        ] {
            if let number = try number(name), number != 0, number != 1 { try refuse(name, what) }
        }
        for (name, what) in [("attention.clamp_kqv", "clamped queries"), ("attention.max_alibi_bias", "ALiBi")] {
            if let number = try number(name), number != 0 { try refuse(name, what) }
        }
        if try flag("attention.causal") == false { try refuse("attention.causal", "bidirectional attention") }
        if let keys = try count("attention.key_length"), let values = try count("attention.value_length"), keys != values {
            try refuse("attention.value_length", "attention values whose width differs from that of the keys")
        }
    }
}
