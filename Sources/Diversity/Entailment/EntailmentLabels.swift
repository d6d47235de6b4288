import Models

/// The positions of the three labels of natural language inference among a classifier's logits.
struct EntailmentLabels: Equatable {
    let contradiction: Int
    let neutral: Int
    let entailment: Int

    /// The names of the three labels.
    static let names = ["contradiction", "neutral", "entailment"]

    /// Finds the positions of the three labels.
    /// - Parameters:
    ///   - given: the names of the logits in order, overriding the classifier's; nil uses the classifier's names.
    ///   - labels: the classifier's names of its logits.
    ///   - file: the classifier's configuration file, for error messages.
    /// - Throws: `EncoderError.module` for a classifier with other labels, and for ambiguous or missing names.
    init(_ given: [String]?, labels: [String], file: String) throws {
        func fault(_ problem: String) -> EncoderError { .module(file: file, problem: problem) }
        let listed = labels.prefix(12).joined(separator: ", ") + (labels.count > 12 ? " …" : "")
        guard labels.count >= 3 else {
            throw fault(
                "the labels are \(listed); the metrics need a classifier with the labels contradiction, neutral and entailment")
        }
        if let given, given.count != labels.count {
            throw fault("the classifier has \(labels.count) labels (\(listed)), but --nli-labels has \(given.count)")
        }
        let names = (given ?? labels).map { $0.lowercased().filter { !$0.isWhitespace } }
        func place(_ name: String) throws -> Int {
            let places = names.indices.filter { names[$0] == name }
            guard let place = places.first, places.count == 1 else {
                let what = places.isEmpty ? "\(name) is missing" : "\(name) appears \(places.count) times"
                throw fault(
                    given == nil
                        ? "the labels are \(listed), but \(what); give their meanings, in this order, with --nli-labels"
                        : "--nli-labels is \(given?.joined(separator: ",") ?? ""), but \(what)")
            }
            return place
        }
        contradiction = try place(Self.names[0])
        neutral = try place(Self.names[1])
        entailment = try place(Self.names[2])
    }
}
