/// The models that some metrics need.
public struct DiversityModels: Sendable {
    /// A sentence encoder on this machine.
    public var encoder: (any TextEncoder)?
    /// An embedding service.
    public var remoteEncoder: (any TextEncoder)?
    /// A natural language inference model.
    public var entailment: (any EntailmentModel)?
    /// A classifier of whether two answers say the same.
    public var similarity: (any SimilarityModel)?

    /// The models there are.
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
