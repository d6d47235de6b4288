/// A corpus of instructions with checkable answers that needs no file: words are sorted, reversed, picked, repeated or
/// listed, and small numbers added.
///
/// An in-distribution instruction asks for one task. An out-of-distribution instruction asks for two in sequence,
/// `First: … Then: …`, and its answer is both answers separated by a semicolon. ``InstructionCheck`` scores an answer.
public struct GeneratedInstructions: Codable, Sendable, Equatable {
    /// The random seed that determines every instruction.
    public var seed: UInt64
    /// The number of examples in `train`.
    public var train: Int
    /// The number of examples in each of the other splits.
    public var heldOut: Int
    /// The share of training instructions, from 0 to 1, that ask for two tasks of the same kind, so that the format of
    /// a sequence can be learned. The two tasks of an out-of-distribution instruction always differ in kind.
    public var sequenceShare: Double
    /// The share of training answers, from 0 to 1, that contain an error, to imitate human mistakes: the last word is
    /// missing or repeated. Answers of the other splits are all correct.
    public var faultShare: Double

    /// Creates a corpus description with these sizes. Generates nothing yet.
    public init(seed: UInt64 = 0, train: Int = 24000, heldOut: Int = 500, sequenceShare: Double = 0.3, faultShare: Double = 0.3) {
        (self.seed, self.train, self.heldOut, self.sequenceShare, self.faultShare) = (seed, train, heldOut, sequenceShare, faultShare)
    }

    /// The prompt format of the instructions.
    public static let promptFormat = PromptFormat("### Instruction:\n{post}\n\n### Response:")

    /// Generates all splits. A held-out instruction with one task that sorts, reverses or picks words occurs in no
    /// other split. The other kinds have too few distinct instructions for that.
    /// - Throws: `DataError.invalidSetting` if a size is below 0 or too large (above 1,000,000 for `train`, above 2000
    ///   for the others).
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

    /// The answer; with probability `faultShare`, an answer with an error at its end.
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

    /// Draws an instruction with its answer. The names of its task kinds are stored as the subreddit, so that rows can
    /// be split by kind.
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

/// The text form of several tasks in one instruction.
enum InstructionSequence {
    static let answerSeparator = "; "
    private static let (first, then) = ("First: ", " Then: ")

    /// The instruction that asks for the given parts in sequence.
    static func text(_ parts: [String]) -> String {
        parts.count == 1 ? parts[0] : first + parts.joined(separator: then)
    }

    /// The parts of an instruction; one part if it is not a sequence.
    static func parts(of text: Substring) -> [Substring] {
        guard text.hasPrefix(first) else { return [text] }
        return text.dropFirst(first.count).split(separator: then)
    }
}
