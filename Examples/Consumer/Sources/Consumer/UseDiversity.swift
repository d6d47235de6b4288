import Diversity

/// Different texts are more diverse than copies.
func useDiversity() {
    let metric = ExpectationAdjustedMetric()
    let texts = TextCollection(["a red fox ran home", "my boat is far too slow", "a red fox ran home"])
    guard let different = metric.value(of: [0, 1], in: texts), let same = metric.value(of: [0, 2], in: texts) else {
        preconditionFailure("expected a diversity")
    }
    precondition(different > same)
}
