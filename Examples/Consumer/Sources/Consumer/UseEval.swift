import Eval
import Tensor

/// Computes ROUGE of a summary against itself, and a confidence interval of a mean.
func useEval() {
    let score = ROUGE.original("the cat sat", reference: "the cat sat").rougeL
    precondition(score.f > 0.999)
    var generator = Philox(seed: 3)
    let interval = Bootstrap.mean(of: [1, 2, 3, 4], using: &generator)
    precondition(interval.mean == 2.5 && interval.contains(2.5))
}
