import Tensor

extension EncoderFamily {
    /// BERT (Devlin et al. 2019) and models of the same architecture, such as MiniLM (Wang et al. 2020).
    public static let bert = EncoderFamily("bert", prefix: "bert", otherHeads: [], head: bertHead) { file in
        let settings = try EncoderSettings(reading: file)
        let types = try file.optionalCount("type_vocab_size") ?? 2
        return EncoderPlan(settings.shape(context: settings.positions, types: types)) { weights in
            StackedEncoder.Parts(
                embedding: try settings.embedding(weights, types: types),
                layers: try (0..<settings.layers).map { try settings.layer(weights.below("encoder.layer.\($0)")) })
        }
    }

    /// RoBERTa (Liu et al. 2019): BERT whose positions are counted from the padding token's ID + 1.
    public static let roberta = roberta("roberta")
    /// XLM-RoBERTa (Conneau et al. 2020): RoBERTa with a multilingual vocabulary for 100 languages.
    public static let xlmRoberta = roberta("xlm-roberta")

    private static func roberta(_ modelType: String) -> EncoderFamily {
        EncoderFamily(modelType, prefix: "roberta", otherHeads: [], head: robertaHead) { file in
            let settings = try EncoderSettings(reading: file)
            let types = try file.optionalCount("type_vocab_size") ?? 2
            let padding = try file.optionalInteger("pad_token_id") ?? 1
            let context = try settings.contextBehind(padding: padding)
            return EncoderPlan(settings.shape(context: context, types: types)) { weights in
                StackedEncoder.Parts(
                    embedding: try settings.embedding(weights, counting: .behindPadding(padding), types: types),
                    layers: try (0..<settings.layers).map { try settings.layer(weights.below("encoder.layer.\($0)")) })
            }
        }
    }

    /// The head of BERT: a pooler with tanh, then a linear layer.
    @Sendable private static func bertHead(_ file: ConfigurationReader, _ weights: WeightScope, _ labels: Int) throws -> ClassifierHead {
        try .twoLayers(weights, "pooler.dense", "classifier", width: file.count("hidden_size"), labels: labels) { $0.tanh() }
    }

    /// The head of RoBERTa and MPNet: a linear layer with tanh, then another linear layer.
    @Sendable static func robertaHead(_ file: ConfigurationReader, _ weights: WeightScope, _ labels: Int) throws -> ClassifierHead {
        try .twoLayers(weights, "classifier.dense", "classifier.out_proj", width: file.count("hidden_size"), labels: labels) { $0.tanh() }
    }
}
