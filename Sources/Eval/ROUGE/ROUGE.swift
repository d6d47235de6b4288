/// ROUGE (Lin, 2004) in the two forms that published numbers use. They differ in nearly every detail, so a number is
/// meaningless without its form:
///
/// - ``original(_:reference:)``: what the paper's code reports, equal to the Python package `rouge` 1.0.1.
/// - ``Standard``: what most of the field reports, equal to the Python package `rouge-score` 0.1.2.
public enum ROUGE {
    /// Precision, recall and their harmonic mean.
    public struct Score: Codable, Sendable, Equatable {
        /// Overlap over the size of the hypothesis.
        public var precision: Double
        /// Overlap over the size of the reference.
        public var recall: Double
        /// The F measure of the two, each form with its own formula.
        public var f: Double

        /// The score of no overlap.
        public static let zero = Score(precision: 0, recall: 0, f: 0)
    }
}
