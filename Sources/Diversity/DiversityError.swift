import Formats

/// What can be wrong with the input of a diversity measurement.
public enum DiversityError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Metric names that do not exist.
    case unknownMetrics([String], known: [String])
    /// A metric whose name is none, or another metric's, or stands for several.
    case nameTaken(String)
    /// Best-of-n with more samples wanted than there are, or none.
    case cannotDraw(n: Int, of: Int)
    /// A reward that is not a number.
    case rewardNotFinite(index: Int)
    /// An option outside its range.
    case invalidOption(name: String, rule: String)
    /// A simulation that needs rewards, on outputs without them.
    case rewardsMissing(input: Int)
    /// What is wrong with one of several inputs, with its file or its tables.
    indirect case inSource(String, DiversityError)
    /// There is nothing to measure.
    case noOutputs
    /// A similarity matrix that is not finite or whose eigenvalues LAPACK does not find.
    case eigenvaluesFailed(order: Int)
    /// A metric that was asked for by name, without the model it needs.
    case modelMissing(metric: String, model: String)
    /// A model that gave another number of answers than asked for.
    case wrongCount(of: String, got: Int, expected: Int)
    /// Two measurements that cannot be compared.
    case cannotCompare(String)
    /// A metric that failed; the run fails with it.
    case metricFailed(name: String, reason: String)
    /// An input file that cannot be opened.
    case unreadableInput(path: String)
    /// An input file that cannot be understood.
    case malformedInput(place: String, reason: String)

    /// One line: what is wrong and what to do.
    public var description: String { OneLine.escaped(text) }

    private var text: String {
        switch self {
        case .unknownMetrics(let names, let known):
            "unknown metric \(names.joined(separator: ", ")): use exact names out of \(known.joined(separator: ", "))"
        case .nameTaken(let name):
            "a metric is called \(OneLine.quoted(name)), which is empty, taken or stands for all metrics; give it another name"
        case .cannotDraw(let n, let count):
            "best of \(n) cannot be simulated with \(count) samples: choose n from 1 to \(count)"
        case .rewardNotFinite(let index):
            "the reward of sample \(index) is not a finite number: score the samples again"
        case .inSource(let name, let error): "\(name): \(error)"
        case .invalidOption(let name, let rule): "\(name) \(rule)"
        case .rewardsMissing(let input):
            "the input numbered \(input) from 0 has outputs without a reward: simulating best-of-n needs a reward for every output"
        case .noOutputs: "there are no outputs to measure: give a table or file with at least one output"
        case .eigenvaluesFailed(let order):
            "the similarities of \(order) texts have no eigenvalues: they are not finite or do not converge"
        case .modelMissing(let metric, let model):
            "the metric \(metric) needs \(model): give one or leave the metric out"
        case .wrongCount(let what, let got, let expected): "a model gave \(got) \(what) where \(expected) were expected"
        case .cannotCompare(let reason): "the two measurements cannot be compared: \(reason)"
        case .metricFailed(let name, let reason): "the metric \(name) failed: \(reason)"
        case .unreadableInput(let path): "cannot read \(path); check the path"
        case .malformedInput(let place, let reason): "\(place): \(reason)"
        }
    }
}
