import Foundation
import Report
import Runs
import Study
import Testing
import _TestSupport

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// Numbers of runs over their steps.
@Suite struct MetricHistoryTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for (id, seed, values) in [("a", 1, [1.0, 2.0]), ("b", 1, [3.0, 4.0]), ("c", 2, [5.0])] {
            let run = try RunFolder(at: folder[id], configuration: .sample(.policy, seed: Int64(seed)))
            for (step, value) in values.enumerated() {
                try run.metrics.append(Measurement(step: 10 * step, values: ["reward": value, "kl": 0]))
            }
        }
    }

    private func history(_ metrics: [String] = ["reward"], groupBy: [String] = []) throws -> MetricHistory {
        try MetricHistory(["a", "b", "c"].map { ($0, folder[$0]) }, metrics: metrics, groupBy: groupBy)
    }

    @Test("each number has a line, and each run one with the options that differ")
    func tables() throws {
        let history = try history(groupBy: ["seed"])
        #expect(
            history.csv.split(separator: "\n") == [
                "run,group,metric,step,value", "a,1,reward,0,1.0", "a,1,reward,10,2.0", "b,1,reward,0,3.0",
                "b,1,reward,10,4.0", "c,2,reward,0,5.0",
            ])
        #expect(history.table == "run,seed,reward\na,1,2.0\nb,1,4.0\nc,2,5.0\n")
        #expect(history.groups == ["1", "2"] && history.means(of: "reward", group: "1").map(\.value) == [2, 3])
        #expect(try self.history().groups == ["a", "b", "c"])
    }

    @Test("two options make a table: rows by the first, columns by the second")
    func groupTable() throws {
        let run = try RunFolder(at: folder["d"], configuration: .sample(.supervised, seed: 2))
        try run.metrics.append(Measurement(step: 0, values: ["reward": 7]))
        let history = try MetricHistory(
            ["a", "b", "c", "d"].map { ($0, folder[$0]) }, metrics: ["reward"], groupBy: ["seed", "learning-rate"])
        #expect(history.groupTable == "metric,seed,learning-rate=0.001\nreward,1,3.0\nreward,2,6.0\n")
        #expect(history.groups == ["1, 0.001", "2, 0.001"])
        #expect(try self.history(groupBy: ["seed"]).groupTable.isEmpty)
    }

    @Test("the picture is well-formed: a line for each run, one more for a group of several, and a mark where there is one point only")
    func picture() throws {
        let svg = try history(["reward", "kl"], groupBy: ["seed"]).svg
        #expect(svg.components(separatedBy: "<polyline ").count == 1 + 2 * 3)
        #expect(svg.components(separatedBy: "class=\"m ").count == 1 + 2)
        let parser = XMLParser(data: Foundation.Data(svg.utf8))
        #expect(parser.parse(), "\(parser.parserError as Any)")
    }

    @Test("a metric that no run has is named, with the nearest that there is")
    func unknown() {
        let error = #expect(throws: InvalidSetting.self) { try history(["rewrad"]) }
        #expect(error?.description.contains("did you mean reward?") ?? false)
    }

    @Test("files of names of their own")
    func job() throws {
        var files = MetricHistoryFiles()
        files.history.metrics = ["kl"]
        files.history.metricsOutput = folder["out"].path
        files.measuring.outputDir = folder.url.path
        files.history.runIds = ["a", "c"]
        try files.run(ReportListener())
        #expect(TemporaryFolder.names(in: folder["out"]) == ["metrics.csv", "metrics.svg", "runs.csv"])
        files.history.runIds = []
        #expect(throws: InvalidSetting.self) { try files.run(ReportListener()) }
    }
}
