import Data
import Formats

/// A prompt of a split, with the responses of each system.
struct TextsPrompt {
    /// The responses of one system to the prompt.
    struct Answers {
        /// The system's index in ``TextsTable/systems``.
        var system: Int
        /// The system's rows, in the order of its table.
        var rows: [SampleRow]

        /// The mean of a metric over the rows that have it; nil if none has.
        func mean(_ metric: TextsMetric) -> Double? {
            let values = rows.compactMap(metric.value).filter(\.isFinite)
            return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
    }

    /// The number of the prompt in its split, from 1.
    var number: Int
    /// The ID of its example.
    var id: String
    /// The text of the prompt.
    var input: String
    /// A reference, if a row has one.
    var reference: String?
    /// The responses by system, in the order of systems. A system without a row for the prompt is absent.
    var answers: [Answers] = []
}

/// A numeric column of rows.
struct TextsMetric {
    /// The name of the column.
    var name: String

    /// The label in the page.
    var label: String { name == "kl" ? "KL" : name }

    /// The value in a row; nil if it has none.
    func value(_ row: SampleRow) -> Double? { name == "reward" ? row.reward : row.numbers[name] }
}

/// The samples of all systems, grouped by split and prompt.
struct TextsTable {
    /// The prompts of one split.
    struct Split {
        /// The name of the split.
        var name: String
        /// The name for use in IDs: letters, digits, `-` and `_`, unique among the splits.
        var slug: String
        /// The prompts, in the order in which the first systems have them.
        var prompts: [TextsPrompt]
    }

    /// The names of the systems that are shown.
    private(set) var systems: [String] = []
    /// The splits, in the order of the samples.
    private(set) var splits: [Split] = []
    /// The metrics of the rows; reward, KL and length are first.
    private(set) var metrics: [TextsMetric] = []
    /// Notes on what is left out.
    private(set) var notes: [String] = []

    /// The maximum number of systems and of metrics that are shown.
    static let (systemLimit, metricLimit) = (24, 12)

    /// Joins the rows of all systems by the IDs and texts of prompts.
    init(_ samples: [ReportContent.Sample]) {
        var all: [String] = []
        for sample in samples where !all.contains(sample.system) { all.append(sample.system) }
        systems = Array(all.prefix(Self.systemLimit))
        if all.count > systems.count {
            notes.append("Texts: only the first \(systems.count) of \(all.count) systems are shown.")
        }
        var names: Set<String> = []
        var places: [String: [Key: Int]] = [:]
        for sample in samples {
            guard let system = systems.firstIndex(of: sample.system), !sample.rows.isEmpty else { continue }
            let split = place(of: sample.split)
            for row in sample.rows {
                names.formUnion(row.numbers.keys)
                if row.reward != nil { names.insert("reward") }
                let key = Key(id: row.id, input: row.input)
                let place = places[sample.split]?[key] ?? splits[split].prompts.count
                if place == splits[split].prompts.count {
                    places[sample.split, default: [:]][key] = place
                    splits[split].prompts.append(TextsPrompt(number: place + 1, id: row.id, input: row.input))
                }
                splits[split].prompts[place].add(row, of: system)
            }
        }
        chooseMetrics(names)
    }

    private struct Key: Hashable {
        var id, input: String
    }

    /// The index of the split with a name, which is added if necessary.
    private mutating func place(of name: String) -> Int {
        if let place = splits.firstIndex(where: { $0.name == name }) { return place }
        func isPlain(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
        }
        let plain = String(decoding: name.utf8.prefix(40).map { isPlain($0) ? $0 : 0x2d }, as: UTF8.self)
        let base = plain.isEmpty ? "split" : plain
        var slug = base
        var count = 1
        while splits.contains(where: { $0.slug == slug }) {
            count += 1
            slug = "\(base)-\(count)x"
        }
        splits.append(Split(name: name, slug: slug, prompts: []))
        return splits.count - 1
    }

    /// Chooses the metrics to show. The columns `sample` and `group` are indices, not metrics.
    private mutating func chooseMetrics(_ names: Set<String>) {
        let first = ["reward", "kl", "tokens"].filter(names.contains)
        let others = names.subtracting(first + ["sample", "group"]).sorted()
        let all = first + others
        metrics = all.prefix(Self.metricLimit).map(TextsMetric.init)
        if all.count > metrics.count {
            notes.append("Texts: only the first \(metrics.count) of \(all.count) metrics of a sample are shown.")
        }
    }
}

extension TextsPrompt {
    /// Adds a row of a system.
    fileprivate mutating func add(_ row: SampleRow, of system: Int) {
        if reference == nil { reference = row.reference }
        if let place = answers.firstIndex(where: { $0.system == system }) {
            answers[place].rows.append(row)
        } else {
            let place = answers.firstIndex { $0.system > system } ?? answers.count
            answers.insert(Answers(system: system, rows: [row]), at: place)
        }
    }
}
