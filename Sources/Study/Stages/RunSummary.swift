internal import Formats
internal import Foundation
import Models
package import Runs

/// The summary that a run prints at its end: the course of its evaluations, and suggested next commands.
package struct RunSummary {
    /// A metric of evaluations, named as in metrics.jsonl without the prefix of the split: `loss` of `validation_loss`.
    package struct Figure {
        /// Whether less or more is better; nil if neither is.
        package enum Better { case less, more }

        /// The name without the prefix of the split.
        var name: String
        /// Whether less or more is better; nil if neither is.
        var better: Better?
        /// Whether it is a share, which is shown in percent.
        var isShare: Bool

        /// A metric of evaluations.
        package init(_ name: String, better: Better? = nil, isShare: Bool = false) {
            (self.name, self.better, self.isShare) = (name, better, isShare)
        }
    }

    /// The metrics of the stage's evaluations, the most important first.
    var figures: [Figure]
    /// Metrics of training steps whose last value is shown, such as `kl_sequence`.
    var training: [String] = []
    /// Commands that use the result, with PATH in place of the run folder.
    var next: [String] = []

    /// A summary; see the properties.
    package init(figures: [Figure] = [], training: [String] = [], next: [String] = []) {
        (self.figures, self.training, self.next) = (figures, training, next)
    }

    /// The splits in the order in which they are shown.
    private static let splits = [
        "validation", "ood_validation", "final_validation", "final_test", "final_ood_validation", "final_ood_test", "test", "ood_test",
    ]

    /// The lines of the summary, from the metrics of all steps.
    /// - Parameter path: the run folder, for the next commands.
    package func lines(_ measurements: [Runs.Measurement], path: String) -> [String] {
        var lines: [String] = []
        for split in Self.splits {
            for figure in figures {
                let name = "\(split)_\(figure.name)"
                let points = measurements.compactMap { line in line.values[name].map { (step: line.step, value: $0) } }
                if let line = text(of: points, name: name, figure) { lines.append(line) }
            }
        }
        let last = training.compactMap { name in measurements.last(of: name).map { "\(name) \(Quantity.loss($0))" } }
        if !last.isEmpty { lines.append("last training metrics: \(last.joined(separator: ", "))") }
        if !next.isEmpty {
            lines.append("next: " + next.map { $0.replacing("PATH", with: Self.quoted(path)) }.joined(separator: "\n  or: "))
        }
        return lines
    }

    /// A line such as "validation_loss: 6.070 at step 900; best 5.000 at step 100; 10 evaluations, from 8.037 at step 0".
    private func text(of points: [(step: Int, value: Double)], name: String, _ figure: Figure) -> String? {
        guard let first = points.first, let last = points.last else { return nil }
        func shown(_ point: (step: Int, value: Double)) -> String {
            let value = figure.isShare ? String(format: "%.1f %%", point.value * 100) : Quantity.loss(point.value)
            return "\(value) at step \(Quantity.grouped(Double(point.step)))"
        }
        guard points.count > 1 else { return "\(name): \(shown(last))" }
        var text = "\(name): \(shown(last))"
        let best =
            switch figure.better {
            case .less?: points.min { $0.value < $1.value }
            case .more?: points.max { $0.value < $1.value }
            case nil: nil as (step: Int, value: Double)?
            }
        if let best, best.value != last.value {
            text += "; best \(shown(best))"
        } else if last.value == first.value {
            text += ", unchanged"
        } else if best != nil {
            text += ", the best"
        }
        return text + "; \(points.count) evaluations, from \(shown(first))"
    }

    /// Options with which a next command reads the same data, each after a space: ` --dataset my-data`.
    /// - Parameter isNeeded: whether a data set has to be named in any case, because the run itself read something else, such as comparisons.
    package static func words(of data: DataSettings, isNeeded: Bool = false) -> String {
        let names = [
            "dataset", "data_dir", "train_file", "validation_file", "test_file", "ood_validation_file", "ood_test_file", "data_format",
            "eval_dataset", "ood_column", "ood_values", "chat_template",
        ]
        let (values, usual) = ((try? data.values) ?? [:], (try? DataSettings().values) ?? [:])
        let words = names.compactMap { name -> String? in
            guard let value = values[name], value != usual[name] else { return nil }
            return " --\(name.replacing("_", with: "-")) \(quoted(value.shown))"
        }.joined()
        return words.isEmpty && isNeeded ? " --dataset DATA" : words
    }

    /// A path, quoted for a shell if necessary.
    private static func quoted(_ path: String) -> String {
        let plain = path.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || "0123456789/._-+=:@%".unicodeScalars.contains($0))
        }
        return plain ? path : "'" + path.replacing("'", with: "'\\''") + "'"
    }

    /// A line such as "1,058,016 parameters in 6 layers of width 96; 529,008 of them (50 %) are trained".
    static func parameters(of decoder: any TransformerDecoder) -> String {
        let counts = decoder.parameterCounts
        let share = counts.total > 0 ? Double(counts.trainable) / Double(counts.total) * 100 : 0
        let trained =
            counts.trainable == counts.total
            ? "all of them are trained"
            : "\(Counted.grouped(counts.trainable)) of them (\(String(format: share < 9.95 ? "%.1f" : "%.0f", share)) %) are trained"
        return
            "\(Counted(counts.total, "parameter")) in \(Counted(decoder.shape.layerCount, "layer")) "
            + "of width \(decoder.shape.hiddenSize); \(trained)"
    }
}
