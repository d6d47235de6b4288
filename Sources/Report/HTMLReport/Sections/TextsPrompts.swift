import Data
import Formats

/// A prompt of a split, and what each system has written for it.
struct TextsPrompt {
    /// What one system has written for it.
    struct Answers {
        /// The system's place in ``TextsTable/systems``.
        var system: Int
        /// Its rows, in the order of its table.
        var rows: [SampleRow]

        /// The mean of a number over the rows that have it.
        func mean(_ metric: TextsMetric) -> Double? {
            let values = rows.compactMap(metric.value).filter(\.isFinite)
            return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        }
    }

    /// Its number among the prompts of its split, from 1.
    var number: Int
    /// The example that it comes from.
    var id: String
    /// The prompt.
    var input: String
    /// A reference, if a row has one.
    var reference: String?
    /// By system, in their order; a system without a row for it is not there.
    var answers: [Answers] = []
}

/// A number that rows have.
struct TextsMetric {
    /// Its column.
    var name: String

    /// What it is called in the page.
    var label: String { name == "kl" ? "KL" : name }

    /// Its value in a row.
    func value(_ row: SampleRow) -> Double? { name == "reward" ? row.reward : row.numbers[name] }
}

/// The samples of all systems, by split and prompt.
struct TextsTable {
    /// The prompts of one split.
    struct Split {
        /// Its name.
        var name: String
        /// Its name in ids: letters, digits, `-` and `_`. No two splits have the same.
        var slug: String
        /// In the order in which the first systems have them.
        var prompts: [TextsPrompt]
    }

    /// The names of the systems that are shown.
    private(set) var systems: [String] = []
    /// The splits, in the order of the samples.
    private(set) var splits: [Split] = []
    /// The numbers that rows have: reward, KL and length first.
    private(set) var metrics: [TextsMetric] = []
    /// What is left out.
    private(set) var notes: [String] = []

    /// More systems than this are left out, and more numbers.
    static let (systemLimit, metricLimit) = (24, 12)

    /// Joins the rows of all systems by the prompts' ids and texts.
    init(_ samples: [ReportContent.Sample]) {
        var all: [String] = []
        for sample in samples where !all.contains(sample.system) { all.append(sample.system) }
        systems = Array(all.prefix(Self.systemLimit))
        if all.count > systems.count {
            notes.append("Texts: the first \(systems.count) of \(all.count) systems are shown.")
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

    /// The place of a split, which is made where there is none of the name.
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

    /// The numbers of a sample and of its group within a prompt measure nothing.
    private mutating func chooseMetrics(_ names: Set<String>) {
        let first = ["reward", "kl", "tokens"].filter(names.contains)
        let others = names.subtracting(first + ["sample", "group"]).sorted()
        let all = first + others
        metrics = all.prefix(Self.metricLimit).map(TextsMetric.init)
        if all.count > metrics.count {
            notes.append("Texts: the first \(metrics.count) of \(all.count) numbers of a sample are shown.")
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
