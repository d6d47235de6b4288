import Data
import Diversity
import Formats
import Foundation
import Runs
import Train

/// One combination of the settings in a sweep.
struct SweepPoint {
    /// The settings with their values, in the order of the sweep.
    let settings: [(name: String, value: String)]
    /// The stage with these settings.
    let stage: BestOfNStage

    /// The name of the point's folder: `temperature-0.3_min-p-0.05`.
    var name: String { settings.map { "\($0.name)-\($0.value)" }.joined(separator: "_") }
}

extension BestOfNStage {
    /// The maximum number of points in a sweep.
    private static var mostPoints: Int { 1000 }
    /// The settings that a sweep can vary without sampling.
    private static let choices = ["num_return_sequences", "selection", "selection_temperature"]

    /// All combinations of the sweep's values; the last setting varies fastest. Empty without a sweep.
    /// - Throws: `InvalidSetting` for settings that cannot be swept, and for invalid values.
    func sweepPoints() throws -> [SweepPoint] {
        let axes = try (bestOfN.sweep ?? []).map(axis)
        guard !axes.isEmpty else { return [] }
        if let twice = axes.indices.first(where: { place in axes[..<place].contains { $0.name == axes[place].name } }) {
            throw InvalidSetting("--sweep names \(axes[twice].name) twice; give all of its values at once")
        }
        guard axes.reduce(1.0, { $0 * Double($1.values.count) }) <= Double(Self.mostPoints) else {
            throw InvalidSetting("--sweep has more than \(Self.mostPoints) combinations; give fewer values")
        }
        let all = axes.reduce([[]]) { points, axis in
            points.flatMap { point in axis.values.map { point + [(name: axis.name, value: $0)] } }
        }
        return try all.map { point in
            var values = try self.values
            values["sweep"] = nil
            values["resume"] = .string(ResumePolicy.allow.rawValue)
            if bestOfN.samplesFrom == nil {
                // a sweep measures the effect of temperatures and truncation, so its KL is that of the draws
                values["kl_of_draws"] = .bool(bestOfN.klOfDraws ?? true)
                values["reference_model"] = .string(bestOfN.referenceModel ?? bestOfN.modelName)
            }
            for (name, value) in point { values[SettingName.snake(name)] = Self.option(value) }
            // the selection temperature applies only to a soft choice
            if values["selection"] != .string("soft") { values["selection_temperature"] = nil }
            let stage = try BestOfNStage(values: values)
            try stage.validateGroups()
            return SweepPoint(settings: point, stage: stage)
        }
    }

    private func axis(_ text: String) throws -> (name: String, values: [String]) {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        let values = (parts.count == 2 ? parts[1] : "").split(separator: ",", omittingEmptySubsequences: false)
            .map { $0.filter { !$0.isWhitespace } }
        guard parts.count == 2, values.allSatisfy({ (try? RunFolderError.checkName($0)) != nil }) else {
            throw InvalidSetting("--sweep is '\(text)'; expected a setting and its values, such as temperature=0.3,0.7,1")
        }
        // 1 and 1.0 count as the same value
        let meant = values.map { Double($0).map { "\($0)" } ?? $0 }
        if let twice = meant.indices.first(where: { meant[..<$0].contains(meant[$0]) }) {
            throw InvalidSetting("--sweep \(text) has the value \(values[twice]) twice; give each value once")
        }
        let name = SettingName.canonical(parts[0].filter { !$0.isWhitespace })
        let known = (bestOfN.samplesFrom == nil ? SamplingSettings.names : []) + Self.choices
        guard known.contains(SettingName.snake(name)) else {
            let nearest =
                NearestName.find(SettingName.snake(name), among: known).map { "; did you mean \(SettingName.canonical($0))?" } ?? ""
            throw InvalidSetting(
                "--sweep cannot vary \(name); expected \(known.map(SettingName.canonical).joined(separator: ", "))\(nearest)")
        }
        return (name, values)
    }

    private static func option(_ text: String) -> OptionValue {
        if let integer = Int64(text) { return .integer(integer) }
        if let number = Double(text) { return .number(number) }
        return text == "true" || text == "false" ? .bool(text == "true") : .string(text)
    }

    /// Makes the runs of all points, and the table that compares them.
    func sweep(over points: [SweepPoint], in folder: URL, _ environment: StageEnvironment) throws {
        let session = try RunSession(self, in: folder, environment)
        if try session.folder.isFinished { return try session.sayFinished() }
        var runs = try InnerRuns("points", of: session, environment)
        var results: [SweepResult] = []
        for (place, point) in points.enumerated() {
            let run = try runs.run(point.stage, point.name)
            // rank 0 has written the tables and compares them
            try session.collective.together {
                if session.folder.isFirst { results += try SweepResult.results(of: run, at: point) }
            }
            if place >= runs.done { try runs.finishPart() }
        }
        let table = SweepResult.markdown(results)
        try session.folder.writeResult { url in
            try AtomicFile.write(ResultJSON.text(of: results), to: url.appendingPathComponent("sweep.json"))
            try AtomicFile.write(table, to: url.appendingPathComponent("sweep.md"))
        }
        session.show(table)
        try session.end(stage: "sweep")
    }
}
