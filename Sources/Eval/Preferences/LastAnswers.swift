/// The last answer of each annotator to each task: an annotator who answers a task again replaces the earlier answer, and never
/// counts twice.
enum LastAnswers {
    private struct Key: Hashable {
        var task: String
        var annotator: String
    }

    /// The answers that no later answer replaces, in their order.
    /// - Parameters:
    ///   - answers: the answers of all annotators.
    ///   - task: the ID of an answer's task.
    ///   - annotator: the name of an answer's annotator.
    static func of<Answer>(_ answers: [Answer], task: (Answer) -> String, annotator: (Answer) -> String) -> [Answer] {
        var known: Set<Key> = []
        return answers.reversed().filter { known.insert(Key(task: task($0), annotator: annotator($0))).inserted }.reversed()
    }
}
