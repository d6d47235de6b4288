/// The models that some metrics need.
public struct DiversityModels: Sendable {
    /// A local sentence encoder.
    public var encoder: (any TextEncoder)?
    /// An embedding service.
    public var remoteEncoder: (any TextEncoder)?
    /// A natural language inference model.
    public var entailment: (any EntailmentModel)?
    /// A classifier that decides whether two answers say the same thing.
    public var similarity: (any SimilarityModel)?

    /// The available models; nil for those that are not.
    public init(
        encoder: (any TextEncoder)? = nil, remoteEncoder: (any TextEncoder)? = nil,
        entailment: (any EntailmentModel)? = nil, similarity: (any SimilarityModel)? = nil
    ) {
        self.encoder = encoder
        self.remoteEncoder = remoteEncoder
        self.entailment = entailment
        self.similarity = similarity
    }
}
