/// A corpus of instructions that needs no file, and whose answers can be checked: words are sorted, turned round, picked, repeated or named, and
/// small numbers added.
///
/// An instruction in distribution asks for one thing. One out of distribution asks for two in sequence, `First: … Then: …`, and its answer is both
/// answers with a semicolon between them; ``InstructionCheck`` says how right an answer is.
public struct GeneratedInstructions: Codable, Sendable, Equatable {
    /// Decides every instruction.
    public var seed: UInt64
    /// How many examples `train` has.
    public var train: Int
    /// How many examples each of the other splits has.
    public var heldOut: Int
    /// The share of the training instructions that ask for two things of one kind, from which the form of a sequence can be learned. The two
    /// things of an instruction out of distribution are never of one kind.
    public var sequenceShare: Double
    /// The share of the training answers that are wrong, as those of people are now and then: a word is missing at the end, or is there twice. Answers of
    /// the other splits are right.
    public var faultShare: Double

    /// A corpus of these sizes; nothing is drawn yet.
    public init(seed: UInt64 = 0, train: Int = 24000, heldOut: Int = 500, sequenceShare: Double = 0.3, faultShare: Double = 0.3) {
        (self.seed, self.train, self.heldOut, self.sequenceShare, self.faultShare) = (seed, train, heldOut, sequenceShare, faultShare)
    }

    /// How an instruction becomes a prompt.
    public static let promptFormat = PromptFormat("### Instruction:\n{post}\n\n### Response:")

    /// All splits. No instruction of a held-out split that sorts, turns round or picks is in another split; of the others there are too few for that.
    /// - Throws: `DataError.invalidSetting` if a size is below 0, or too large.
    public func corpus() throws -> SummaryCorpus {
        let sizes = [
            ("test", heldOut), ("ood_test", heldOut), ("validation", heldOut), ("ood_validation", heldOut), ("ood_train", heldOut),
            ("train", train),
        ]
        var used: Set<String> = []
        var splits: [String: [SummaryExample]] = [:]
        for (stream, (name, count)) in sizes.enumerated() {
            let limit = name == "train" ? 1_000_000 : 2000
            guard count >= 0, count <= limit else {
                throw DataError.invalidSetting("the generated split \"\(name)\" has \(count) instructions", expected: "0 to \(limit)")
            }
            var generator = PCG64(seed: seed, spawnKey: [UInt32(stream)])
            var (examples, fresh): ([SummaryExample], Set<String>) = ([], [])
            examples.reserveCapacity(count)
            while examples.count < count {
                var example = Self.example(
                    "\(name)-\(examples.count)", isSequence: name.hasPrefix("ood_") ? true : nil,
                    sequenceShare: name == "train" ? sequenceShare : 0, using: &generator)
                guard !used.contains(example.post), name == "train" || fresh.insert(example.post).inserted else { continue }
                if name == "train" { example.summary = spoilt(example.summary, using: &generator) }
                examples.append(example)
            }
            used.formUnion(examples.lazy.filter { InstructionTask.manifoldKinds.contains($0.subreddit) && name != "train" }.map(\.post))
            if count > 0 { splits[name] = examples }
        }
        return SummaryCorpus(name: "instructions", splits: splits, format: Self.promptFormat)
    }

    /// An answer, or now and then one with a fault at its end.
    private func spoilt(_ answer: String, using generator: inout PCG64) -> String {
        guard Double(generator.below(1000)) < 1000 * faultShare else { return answer }
        var parts = answer.split(separator: InstructionSequence.answerSeparator).map(String.init)
        guard let part = parts.popLast() else { return answer }
        let separator = part.contains(" ") && !part.contains(", ") ? " " : ", "
        var words = part.split(separator: separator).map(String.init)
        if words.count > 1, generator.below(2) == 0 {
            words.removeLast()
        } else {
            words += words.suffix(1)
        }
        return (parts + [words.joined(separator: separator)]).joined(separator: InstructionSequence.answerSeparator)
    }

    /// An instruction with an answer; its kinds stand in the place of the subreddit, so that splits can be made of them.
    private static func example(
        _ id: String, isSequence: Bool?, sequenceShare: Double, using generator: inout PCG64
    ) -> SummaryExample {
        let (order, all) = (generator.permutation(InstructionTask.kinds.count), InstructionTask.kinds)
        let isSequence = isSequence ?? (Double(generator.below(1000)) < 1000 * sequenceShare)
        let ofOneKind = isSequence && sequenceShare > 0
        let kinds = isSequence ? [all[order[0]], all[order[ofOneKind ? 0 : 1]]] : [all[order[0]]]
        let parts = kinds.map { kind in
            let task = InstructionTask.drawn(kind, using: &generator)
            return (text: InstructionWording.text(of: task, using: &generator), answer: task.answer(using: &generator))
        }
        return SummaryExample(
            id: id, subreddit: kinds.joined(separator: "+"), title: "", post: InstructionSequence.text(parts.map(\.text)),
            summary: parts.map(\.answer).joined(separator: InstructionSequence.answerSeparator), promptFormat: promptFormat)
    }
}

/// Several instructions in one.
enum InstructionSequence {
    static let answerSeparator = "; "
    private static let (first, then) = ("First: ", " Then: ")

    static func text(_ parts: [String]) -> String {
        parts.count == 1 ? parts[0] : first + parts.joined(separator: then)
    }

    /// The parts of a text, one if it is no sequence.
    static func parts(of text: Substring) -> [Substring] {
        guard text.hasPrefix(first) else { return [text] }
        return text.dropFirst(first.count).split(separator: then)
    }
}
