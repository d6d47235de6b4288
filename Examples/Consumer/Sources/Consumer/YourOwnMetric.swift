import Diversity
import Eval

/// A custom metric: the fraction of distinct endings in a set of texts.
struct Endings: DiversityMetric {
    let name = "different_endings"
    let higherIsMoreDiverse = true

    func range(ofTexts count: Int) -> MetricRange { .share }

    func value(of set: [Int], in collection: TextCollection) -> Double? {
        guard set.count > 1 else { return nil }
        let endings = collection.derived("endings") { collection.texts.map { $0.split(separator: " ").last ?? "" } }
        return Double(Set(set.map { endings[$0] }).count) / Double(set.count)
    }
}

/// The metric appears in the tables next to the built-in ones, as does a number for each text.
func useYourOwnMetric() throws {
    let outputs = DiversityInput(
        outputs: [
            ["a red fox ran home", "a fox ran", "the fox is home"], ["my boat is slow", "is my boat slow", "boats are slow"],
            ["no", "yes and no", "I do not know"],
        ])
    let questions = ClosureTextMetric("is_a_question") { $0.text.hasPrefix("is ") ? 1 : 0 }

    let results = try DiversityMeasurement.run(
        [DiversitySystem("sampled", outputs)], kinds: DiversityMetricKind.builtIn + [DiversityMetricKind(Endings())],
        options: .init(textMetrics: TextMetrics.builtIn + [questions]))

    guard let own = results.parts[0].report["different_endings"]?.values, let across = own.acrossInputs?.interval else {
        preconditionFailure("expected an interval across three inputs")
    }
    precondition(across.low <= across.high && across.high <= 1)
    precondition(own.overall == 5.0 / 9)
    precondition(results.text.contains("different_endings") && results.text.contains("is_a_question"))
    precondition(results.texts[0].report.groups[0].metrics["is_a_question"]?.mean.mean == (1.0 / 3) / 3)
}
