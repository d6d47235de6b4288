import Formats

// Reading and writing of adapter_config.json in PEFT's format.
extension AdapterConfiguration {
    /// Keys that do not affect an adapter's output, or that only matter for its creation.
    private static let harmless: Set = [
        "peft_type", "task_type", "base_model_name_or_path", "revision", "auto_mapping", "peft_version", "inference_mode", "fan_in_fan_out",
        "megatron_core", "loftq_config", "eva_config", "corda_config", "lora_ga_config", "qalora_group_size", "runtime_config",
    ]

    /// The initialisations of A and B that leave the base model's weights unchanged.
    private static let initialisations: Set = ["gaussian", "eva", "orthogonal"]

    /// Reads the contents of adapter_config.json.
    /// - Throws: ``ModelError`` for invalid values, and for every key that has an effect but is not supported.
    init(reading object: JSONValue) throws {
        let file = ConfigurationReader(object)
        let type = try file.string("peft_type")
        guard type == "LORA" else { throw ModelError.unsupported("peft_type '\(type)' (only LORA)") }
        let bias = try file.optionalString("bias") ?? "none"
        guard bias == "none" else { throw ModelError.unsupported("trained biases in an adapter (bias '\(bias)'; only none)") }
        try Self.checkInitialisation(object["init_lora_weights"])
        guard let rank = try file.optionalCount("r") else { throw ModelError.configuration(key: "r", problem: "is missing") }
        guard let alpha = try file.optionalNumber("lora_alpha") else {
            throw ModelError.configuration(key: "lora_alpha", problem: "is missing")
        }
        guard let targets = try Self.targets("target_modules", of: file) else {
            throw ModelError.configuration(key: "target_modules", problem: "is missing")
        }
        self.init(
            rank: rank, alpha: alpha, dropout: try file.dropoutRate("lora_dropout", or: 0), targets: targets,
            layers: try Self.layers(file), isRankStabilised: try file.flag("use_rslora", or: false),
            decomposesWeights: try file.flag("use_dora", or: false))
        excluded = try Self.targets("exclude_modules", of: file)
        layersPatterns = try Self.texts("layers_pattern", of: file)
        ranks = try Self.exceptions("rank_pattern", of: file) { try $0.optionalCount($1) }
        alphas = try Self.exceptions("alpha_pattern", of: file) { try $0.optionalNumber($1) }
        let known = Self.harmless.union([
            "r", "lora_alpha", "lora_dropout", "target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "rank_pattern",
            "alpha_pattern", "use_rslora", "use_dora", "bias", "init_lora_weights",
        ])
        for member in object.members ?? [] where !known.contains(member.key) && !Self.isNothing(member.value) {
            throw ModelError.unsupported("\(OneLine.escaped(member.key.prefix(60))) in an adapter")
        }
        try check()
    }

    private static func checkInitialisation(_ value: JSONValue?) throws {
        guard let value = value?.unlessNull, value.bool == nil else { return }
        guard let name = value.string, initialisations.contains(name) else {
            throw ModelError.unsupported(
                "init_lora_weights \(OneLine.escaped(value.text.split(separator: "\n").joined().prefix(40))) (changes the base weights)"
            )
        }
    }

    /// Whether a value is null, false or empty, and so has no effect.
    private static func isNothing(_ value: JSONValue) -> Bool {
        switch value {
        case .null, .bool(false): true
        case .array(let items): items.isEmpty
        case .object(let members): members.isEmpty
        case .string(let text): text.isEmpty
        default: false
        }
    }

    /// A string or a list of strings; nil if the key is missing, null or empty.
    private static func texts(_ key: String, of file: ConfigurationReader) throws -> [String]? {
        guard let value = file.object[key]?.unlessNull, !isNothing(value) else { return nil }
        return value.string == nil ? try file.optionalStrings(key) : try [file.string(key)]
    }

    private static func targets(_ key: String, of file: ConfigurationReader) throws -> Targets? {
        guard let value = file.object[key]?.unlessNull, !isNothing(value) else { return nil }
        guard let text = value.string else { return try file.optionalStrings(key).map { .names($0) } }
        return text.lowercased() == Targets.allLinearName ? .allLinear : .pattern(text)
    }

    /// The layer indices, from an integer or a list of integers; nil if the key is missing, null or empty.
    private static func layers(_ file: ConfigurationReader) throws -> [Int]? {
        let key = "layers_to_transform"
        guard let value = file.object[key]?.unlessNull, !isNothing(value) else { return nil }
        if let single = value.int { return [single] }
        let list = try file.optionalList(key) ?? []
        let numbers = list.compactMap(\.int)
        guard numbers.count == list.count else { throw ModelError.configuration(key: key, problem: "is not a list of integers") }
        return numbers
    }

    private static func exceptions<Value>(
        _ key: String, of file: ConfigurationReader, _ read: (ConfigurationReader, String) throws -> Value?
    ) throws -> [Exception<Value>] {
        guard let section = try file.section(key) else { return [] }
        return try (section.object.members ?? []).map { member in
            guard let value = try read(section, member.key) else {
                throw ModelError.configuration(key: key, problem: "has no value for '\(OneLine.escaped(member.key.prefix(60)))'")
            }
            return Exception(member.key, value)
        }
    }
}

extension Adapter {
    /// The contents of adapter_config.json with PEFT's keys: what was read, updated with this adapter's settings.
    func file() -> JSONValue {
        var file = source ?? ["peft_type": "LORA", "task_type": "CAUSAL_LM"]
        file["base_model_name_or_path"] = .string(base)
        file["r"] = JSONValue(configuration.rank)
        file["lora_alpha"] = Self.number(configuration.alpha)
        file["lora_dropout"] = Self.number(configuration.dropout)
        file["target_modules"] = targets(configuration.targets)
        file["exclude_modules"] = configuration.excluded.map(targets)
        file["layers_to_transform"] = configuration.layers.map { .array($0.map { JSONValue($0) }) }
        file["layers_pattern"] = configuration.layersPatterns.map { .array($0.map { .string($0) }) }
        file["rank_pattern"] = .object(configuration.ranks.map { .init($0.modules, JSONValue($0.value)) })
        file["alpha_pattern"] = .object(configuration.alphas.map { .init($0.modules, Self.number($0.value)) })
        file["use_rslora"] = .bool(configuration.isRankStabilised)
        file["use_dora"] = .bool(configuration.decomposesWeights)
        file["fan_in_fan_out"] = .bool(modules.contains(where: \.isStoredTransposed))
        file["bias"] = "none"
        if file["init_lora_weights"] == nil { file["init_lora_weights"] = true }
        file["inference_mode"] = true
        return file
    }

    /// A JSON number; integral values are written as integers, as PEFT does.
    private static func number(_ value: Double) -> JSONValue { Int(exactly: value).map { JSONValue($0) } ?? JSONValue(value) }

    /// The targets in PEFT's format. `all-linear` becomes the list of the last components of all names, because PEFT does not
    /// allow `layers_to_transform` together with `all-linear`.
    private func targets(_ targets: AdapterConfiguration.Targets) -> JSONValue {
        switch targets {
        case .pattern(let pattern): .string(pattern)
        case .names(let names): .array(names.map { .string($0) })
        case .allLinear:
            .array(Set(modules.compactMap { $0.name.split(separator: ".").last.map(String.init) }).sorted().map { .string($0) })
        }
    }
}
