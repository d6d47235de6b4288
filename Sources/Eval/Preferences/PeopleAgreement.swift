/// How often a judge and people who answered tasks about the same texts prefer the same one.
public struct PeopleAgreement: Codable, Sendable, Equatable {
    /// The mean over tasks of 1 where both prefer the same text or both neither, 0 where they prefer different ones, 0.5 where one of them
    /// prefers neither.
    public var share: Double
    /// Tasks that both have answered.
    public var tasks: Int
    /// Tasks that people have answered, and the judge has not been asked about, or gave no verdict on in one of the orders.
    public var leftOut: Int

    /// Compares outcomes.
    ///
    /// - Parameters:
    ///   - inputs: what was judged, with the two systems' texts and the outcome for the first one; nil without one.
    ///   - people: per answered task its outcome for the first system of the tasks.
    /// - Returns: nil where no task is common. Tasks that were made with the systems the other way round are recognised by their texts.
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
                // bytes: texts that differ in their spelling of a letter are different texts
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
