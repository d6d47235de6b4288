/// The agreement between a judge and annotators about the same pairs of texts.
public struct PeopleAgreement: Codable, Sendable, Equatable {
    /// The mean agreement over tasks: 1 if both prefer the same text or both neither, 0 if they prefer different texts, 0.5 if
    /// only one of them prefers neither.
    public var share: Double
    /// The number of tasks that both have judged.
    public var tasks: Int
    /// The number of tasks that annotators answered, but for which the judge has no outcome: it was not asked, or gave no
    /// verdict in one of the orders.
    public var leftOut: Int

    /// Compares the outcomes of a judge and of annotators.
    ///
    /// - Parameters:
    ///   - inputs: the prompts of the judged pairs.
    ///   - first: the first system's text of each pair.
    ///   - second: the second system's text of each pair.
    ///   - outcomes: the judge's outcome of each pair for the first system; nil if there is none.
    ///   - tasks: the annotation tasks.
    ///   - people: for each answered task, its outcome for the first system of the tasks.
    /// - Returns: nil if the judge and the annotators have no task in common. Tasks with the two systems in the opposite order
    ///   are recognised by their texts.
    public init?(
        inputs: [String], first: [String], second: [String], outcomes: [Double?], tasks: [PairwiseTask],
        people: [(task: String, outcome: Double)]
    ) {
        precondition(
            inputs.count == outcomes.count && first.count == outcomes.count && second.count == outcomes.count,
            "\(outcomes.count) outcomes of \(inputs.count) inputs")
        struct Texts: Hashable {
            var input: [UInt8]
            var first: [UInt8]
            var second: [UInt8]

            init(_ input: String, _ first: String, _ second: String) {
                // compared as bytes: canonically equivalent strings with different code points are different texts
                (self.input, self.first, self.second) = (Array(input.utf8), Array(first.utf8), Array(second.utf8))
            }
        }
        var judged: [Texts: Double] = [:]
        for i in outcomes.indices {
            guard let outcome = outcomes[i] else { continue }
            judged[Texts(inputs[i], first[i], second[i])] = outcome
            judged[Texts(inputs[i], second[i], first[i])] = 1 - outcome
        }
        let known = Dictionary(tasks.map { ($0.id, $0) }) { _, last in last }
        var shares: [Double] = []
        for (id, outcome) in people {
            guard let task = known[id] else { continue }
            let texts = task.leftIsFirstSystem ? (task.left, task.right) : (task.right, task.left)
            guard let own = judged[Texts(task.input, texts.0, texts.1)] else { continue }
            let sides = (Preference(shareOfFirst: own), Preference(shareOfFirst: outcome))
            shares.append(sides.0 == sides.1 ? 1 : sides.0 == .tie || sides.1 == .tie ? 0.5 : 0)
        }
        guard let share = Statistics.mean(of: shares) else { return nil }
        self.share = share
        self.tasks = shares.count
        leftOut = people.count - shares.count
    }
}
