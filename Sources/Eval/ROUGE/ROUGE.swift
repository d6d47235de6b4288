/// ROUGE (Lin, 2004) in the two forms that published values use. They differ in nearly every detail, so a value is only
/// meaningful together with its form:
///
/// - ``original(_:reference:)``: the form of the published code, equal to the Python package `rouge` 1.0.1.
/// - ``Standard``: the most widely used form, equal to the Python package `rouge-score` 0.1.2.
public enum ROUGE {
    /// Precision, recall and F measure.
    public struct Score: Codable, Sendable, Equatable {
        /// The overlap divided by the size of the hypothesis.
        public var precision: Double
        /// The overlap divided by the size of the reference.
        public var recall: Double
        /// The F measure of precision and recall; the exact formula depends on the form.
        public var f: Double

        /// The score for no overlap.
        public static let zero = Score(precision: 0, recall: 0, f: 0)
    }
}
