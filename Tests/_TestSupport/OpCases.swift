/// The cases of every differentiable operation. An operation without a case is not finished; a test compares this list with
/// `enum Operation`.
///
/// The functions that make a case are public: the benchmarks call them with the shapes of real models.
public enum OpCases {
    /// Every case that the tests run.
    public static let all: [OpCase] =
        elementwise + dropouts + reductions + rows + columns + scaledColumns + products + normalisations + attentions + logProbabilities
        + recomputations

    /// One number, a few, exactly one vector, one more, two more, and a hundred; and nothing at all.
    static let widths = [0, 1, 7, 16, 17, 33, 100]
    /// Enough numbers for elementwise operations to be cut into chunks for several threads.
    static let manyNumbers = 70_001
}
