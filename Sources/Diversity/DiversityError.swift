import Formats

/// An error in the input, the options or the models of a diversity measurement.
public enum DiversityError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Metric names that the catalogue does not contain.
    case unknownMetrics([String], known: [String])
    /// A metric name that is empty, is already taken by another metric, or is reserved (`all`).
    case nameTaken(String)
    /// Best-of-n asks for n outside 1…`of`, where `of` is the number of samples.
    case cannotDraw(n: Int, of: Int)
    /// A reward is NaN or infinite; `index` counts the samples of one input from 0.
    case rewardNotFinite(index: Int)
    /// An option lies outside its allowed range.
    case invalidOption(name: String, rule: String)
    /// Simulated best-of-n needs a reward for every output, but the outputs of this input (numbered from 0) lack some.
    case rewardsMissing(input: Int)
    /// An error in one of several sources, prefixed with the file or the tables it was read from.
    indirect case inSource(String, DiversityError)
    /// There is nothing to measure.
    case noOutputs
    /// A similarity matrix contains NaN or Inf, or LAPACK did not find its eigenvalues.
    case eigenvaluesFailed(order: Int)
    /// A metric was requested by name, but a model or other data that it needs was not given.
    case modelMissing(metric: String, model: String)
    /// A model returned a different number of results than requested.
    case wrongCount(of: String, got: Int, expected: Int)
    /// Two measurements cannot be compared; the value says why.
    case cannotCompare(String)
    /// A metric failed or returned NaN or Inf; the whole measurement fails with it.
    case metricFailed(name: String, reason: String)
    /// An input file does not exist.
    case unreadableInput(path: String)
    /// An input file has invalid contents.
    case malformedInput(place: String, reason: String)

    /// One line that says what is wrong and how to fix it.
    public var description: String { OneLine.escaped(text) }

    private var text: String {
        switch self {
        case .unknownMetrics(let names, let known):
            "unknown metric \(names.joined(separator: ", ")); the metrics are \(known.joined(separator: ", "))"
        case .nameTaken(let name):
            "the metric name \(OneLine.quoted(name)) is empty, already used or reserved for all metrics; choose another name"
        case .cannotDraw(let n, let count):
            "best of \(n) cannot be simulated with \(count) samples; choose n from 1 to \(count)"
        case .rewardNotFinite(let index):
            "the reward of sample \(index) is NaN or Inf; score the samples again"
        case .inSource(let name, let error): "\(name): \(error)"
        case .invalidOption(let name, let rule): "\(name) \(rule)"
        case .rewardsMissing(let input):
            "input \(input) (counted from 0) has outputs without a reward; simulating best-of-n needs a reward for every output"
        case .noOutputs: "there are no outputs to measure; pass a table or file with at least one output"
        case .eigenvaluesFailed(let order):
            "the eigenvalues of the similarities of \(order) texts cannot be computed: they are NaN or Inf, or do not converge"
        case .modelMissing(let metric, let model):
            "the metric \(metric) needs \(model); provide that or remove the metric"
        case .wrongCount(let what, let got, let expected): "a model returned \(got) \(what); expected \(expected)"
        case .cannotCompare(let reason): "the two measurements cannot be compared: \(reason)"
        case .metricFailed(let name, let reason): "the metric \(name) failed: \(reason)"
        case .unreadableInput(let path): "cannot read \(path); check the path"
        case .malformedInput(let place, let reason): "\(place): \(reason)"
        }
    }
}
