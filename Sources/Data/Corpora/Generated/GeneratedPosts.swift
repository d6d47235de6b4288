/// A corpus that needs no file: short posts of an invented forum, each with a one-line summary.
///
/// A seeded grammar draws a topic, a kind of story and its facts (who, what, where, how much, what next). The post
/// states the facts among irrelevant sentences; the summary repeats some of them, in one of three wordings. The
/// out-of-distribution splits use topics whose words never occur in the training set, and their posts are longer.
public struct GeneratedPosts: Codable, Sendable, Equatable {
    /// The random seed that determines every post.
    public var seed: UInt64
    /// The number of examples in `train`.
    public var train: Int
    /// The number of examples in `validation`.
    public var validation: Int
    /// The number of examples in `test`.
    public var test: Int
    /// The number of examples in `ood_train`.
    public var oodTrain: Int
    /// The number of examples in `ood_validation`.
    public var oodValidation: Int
    /// The number of examples in `ood_test`.
    public var oodTest: Int

    /// Creates a corpus description with these sizes. Generates nothing yet.
    public init(
        seed: UInt64 = 0, train: Int = 24000, validation: Int = 500, test: Int = 500, oodTrain: Int = 500,
        oodValidation: Int = 500, oodTest: Int = 500
    ) {
        self.seed = seed
        self.train = train
        self.validation = validation
        self.test = test
        self.oodTrain = oodTrain
        self.oodValidation = oodValidation
        self.oodTest = oodTest
    }

    /// The topics of the in-distribution splits.
    public static var topics: [String] { Topic.familiar.map(\.name) }
    /// The topics of the out-of-distribution splits.
    public static var outOfDistributionTopics: [String] { Topic.unfamiliar.map(\.name) }

    /// Generates all splits. No post occurs twice, within or across splits. Each split has its own random stream.
    /// - Throws: `DataError.invalidSetting` if a size is below 0 or above 1,000,000.
    public func corpus() throws -> SummaryCorpus {
        let sizes: [(name: String, count: Int, isUnfamiliar: Bool)] = [
            ("train", train, false), ("validation", validation, false), ("test", test, false),
            ("ood_train", oodTrain, true), ("ood_validation", oodValidation, true), ("ood_test", oodTest, true),
        ]
        var used: Set<String> = []
        var splits: [String: [SummaryExample]] = [:]
        for (stream, split) in sizes.enumerated() {
            guard split.count >= 0, split.count <= 1_000_000 else {
                throw DataError.invalidSetting(
                    "the generated split \"\(split.name)\" has \(split.count) posts", expected: "0 to 1000000")
            }
            var generator = PCG64(seed: seed, spawnKey: [UInt32(stream)])
            var examples: [SummaryExample] = []
            examples.reserveCapacity(split.count)
            while examples.count < split.count {
                let topic = generator.pick(split.isUnfamiliar ? Topic.unfamiliar : Topic.familiar)
                let id = "\(split.name)-\(examples.count)"
                let example = Self.example(id: id, topic: topic, isLong: split.isUnfamiliar, using: &generator)
                if used.insert(example.post).inserted { examples.append(example) }
            }
            if split.count > 0 { splits[split.name] = examples }
        }
        return SummaryCorpus(name: "generated", splits: splits)
    }

    private static let plots = Plot.all.map(ParsedPlot.init)
    private static let asides = Wording.asides.map(Template.init)

    private struct ParsedPlot: Sendable {
        let titles, opening, question, summaries: [Template]
        let facts: [[Template]]

        init(_ plot: Plot) {
            titles = plot.titles.map(Template.init)
            opening = plot.opening.map(Template.init)
            question = plot.question.map(Template.init)
            summaries = plot.summaries.map(Template.init)
            facts = plot.facts.map { $0.map(Template.init) }
        }
    }

    private static func example(
        id: String, topic: Topic, isLong: Bool, using generator: inout PCG64
    ) -> SummaryExample {
        let plot = generator.pick(plots)
        let slots = Wording.slots(for: topic, using: &generator)
        var told: Set<String> = []
        func say(_ wordings: [Template]) -> String {
            generator.pick(wordings).expanded(slots, noting: &told, using: &generator)
        }
        let title = say(plot.titles)

        // 1. The opening, then the facts in random order.
        var story = [say(plot.opening)]
        for fact in generator.permutation(plot.facts.count) { story.append(say(plot.facts[fact])) }
        // 2. Irrelevant sentences at random positions.
        var ignored: Set<String> = []
        let spare =
            topic.asides + asides.map { $0.expanded(slots, noting: &ignored, using: &generator) }
        let count = isLong ? 5 + generator.below(5) : generator.below(3)
        for aside in generator.permutation(spare.count).prefix(count) {
            story.insert(spare[aside], at: generator.below(story.count + 1))
        }
        // 3. The question, and sometimes thanks.
        story.append(say(plot.question))
        if generator.below(4) == 0 { story.append(generator.pick(Wording.thanks)) }
        // 4. A summary that mentions only what the title or the post mentions.
        var summary: String?
        while summary == nil {
            var claimed: Set<String> = []
            let text = generator.pick(plot.summaries).expanded(slots, noting: &claimed, using: &generator)
            if claimed.isSubset(of: told) { summary = text }
        }

        return SummaryExample(
            id: id, subreddit: topic.name, title: capitalised(title),
            post: story.map(capitalised).joined(separator: " "), summary: capitalised(summary ?? ""))
    }

    private static func capitalised(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}
