import Diversity
import Foundation
import Tensor

/// The metrics of `calculate-diversity` at the size of the published setting: 500 inputs with 16 outputs each.
struct MetricTasks {
    let options: Options

    func run() throws -> Report {
        switch options.task {
        case .encode: try encode()
        case .ngrams: try ngrams()
        default: throw BenchmarkError("\(options.task) is not a metric task")
        }
    }

    /// Embeds texts of about 20 words with a sentence encoder, including tokenization.
    private func encode() throws -> Report {
        let encoder = try FolderSentenceEncoder(URL(fileURLWithPath: options.workload, isDirectory: true))
        let texts = try texts { 10 + $0.index(below: 20) }
        _ = try encoder.embeddings(of: Array(texts.prefix(64)))
        var seconds: [Double] = []
        var width = 0
        for _ in 0..<options.iterations {
            var watch = Stopwatch()
            let vectors = try encoder.embeddings(of: texts)
            seconds.append(watch.lap())
            width = vectors.last.flatMap { $0?.count } ?? 0
        }
        guard width > 0 else { throw BenchmarkError("\(options.workload) returned no vectors") }
        var report = Report(options, seconds)
        report.texts = texts.count
        return report
    }

    /// The n-gram metrics on texts of 50 words: distinct-n, EAD and cosine similarity, per input, across inputs and overall, with all draws
    /// and intervals. Then every other metric that needs no model, one by one.
    private func ngrams() throws -> Report {
        let texts = try texts { _ in 50 }
        let outputs = stride(from: 0, to: texts.count, by: 16).map { Array(texts[$0..<min($0 + 16, texts.count)]) }
        let input = DiversityInput(outputs: outputs)
        let orders = (1...5).flatMap { ["distinct_ngrams_\($0)", "ead_distinct_ngrams_\($0)"] }
        var config = DiversityConfig()
        config.metrics =
            ["averaged_distinct_ngrams", "ead_averaged_distinct_ngrams", "cosine_similarity_2d_diversity"] + orders
        var seconds: [Double] = []
        for _ in 0...options.iterations {
            var watch = Stopwatch()
            _ = try DiversityMeasurement.run(input, config: config)
            seconds.append(watch.lap())
        }
        var report = Report(options, Array(seconds.dropFirst()))
        report.texts = texts.count
        report.phases = [:]
        for name in ["self_bleu", "rouge_l_homogenisation", "compression_ratio", "self_repetition", "vendi_score"] {
            config.metrics = [name]
            // the eigenvalues of all texts together would take many times longer than everything else
            config.plan.overall = name != "vendi_score"
            var watch = Stopwatch()
            _ = try DiversityMeasurement.run(input, config: config)
            report.phases?[name] = watch.lap()
        }
        return report
    }

    /// The texts of the file in the options, or texts of random words from 3,000 equally frequent ones with 2 to 8 letters.
    private func texts(words count: (inout Draws) -> Int) throws -> [String] {
        if let path = options.texts {
            let all = try JSONDecoder().decode([String].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
            return Array(all.prefix(options.count))
        }
        var draws = Draws()
        let letters = Array("abcdefghijklmnopqrstuvwxyz")
        let words = (0..<3000).map { _ in
            String((0..<2 + draws.index(below: 7)).map { _ in letters[draws.index(below: letters.count)] })
        }
        return (0..<options.count).map { _ in
            (0..<count(&draws)).map { _ in words[draws.index(below: words.count)] }.joined(separator: " ") + "."
        }
    }

    /// A random number stream that is the same in every run.
    struct Draws {
        private var stream = Philox(seed: 0)

        mutating func index(below bound: Int) -> Int { Int(stream.next() % UInt64(bound)) }
    }
}
