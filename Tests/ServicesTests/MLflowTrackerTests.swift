import Foundation
import Runs
import Services
import Synchronization
import Testing
import Train
import _TestSupport

/// A server with as much of MLflow as a run needs; it keeps every point that arrives.
private final class FakeMLflow: Sendable {
    struct Point: Hashable, Decodable {
        var key: String
        var value: Double
        var timestamp: Int64
        var step: Int
    }
    struct Contents {
        var experiments: [String: String] = [:]
        var runs: [String] = []
        /// By run; a list, so that doubled points are seen.
        var points: [String: [Point]] = [:]
        var params: [String: [String: String]] = [:]
        var status: [String: String] = [:]
        /// The greatest number of metrics in one request.
        var widest = 0
        var isDown = false
        /// Takes the next batch, and loses its answer.
        var losesAnswer = false
    }
    let contents = Mutex(Contents())

    struct Batch: Decodable {
        struct Param: Decodable {
            var key: String
            var value: String
        }
        var run_id: String
        var metrics: [Point]
        var params: [Param]
    }

    func answer(_ header: String, _ body: String) -> LocalServer.Answer {
        contents.withLock { state in
            guard !state.isDown else { return .init(status: 503, body: "") }
            let path = header.split(separator: " ")[1]
            let json = (try? JSONSerialization.jsonObject(with: Data(body.utf8))) as? [String: Any] ?? [:]
            func text(_ name: String) -> String { json[name] as? String ?? "" }
            switch path.split(separator: "?")[0].replacing("/api/2.0/mlflow/", with: "") {
            case "experiments/get-by-name":
                let name = path.split(separator: "=").last?.removingPercentEncoding ?? ""
                guard let id = state.experiments[name] else { return .init(status: 404, body: "{}") }
                return .init(status: 200, body: "{\"experiment\": {\"experiment_id\": \"\(id)\"}}")
            case "experiments/create":
                state.experiments[text("name")] = "7"
                return .init(status: 200, body: "{\"experiment_id\": \"7\"}")
            case "runs/create":
                state.runs.append("run\(state.runs.count + 1)")
                return .init(status: 200, body: "{\"run\": {\"info\": {\"run_id\": \"\(state.runs.last ?? "")\"}}}")
            case "runs/log-batch":
                guard let batch = try? JSONDecoder().decode(Batch.self, from: Data(body.utf8)) else { return .init(status: 400, body: "") }
                state.points[batch.run_id, default: []] += batch.metrics
                state.widest = max(state.widest, batch.metrics.count)
                for param in batch.params { state.params[batch.run_id, default: [:]][param.key] = param.value }
                if state.losesAnswer {
                    state.losesAnswer = false
                    return .none
                }
                return .init(status: 200, body: "{}")
            case "runs/update":
                state.status[text("run_id")] = text("status")
                return .init(status: 200, body: "{}")
            default: return .init(status: 404, body: "")
            }
        }
    }
}

@Suite struct MLflowTrackerTests {
    private let folder: TemporaryFolder
    private let fake = FakeMLflow()
    private let server: LocalServer

    init() throws {
        folder = try TemporaryFolder()
        let fake = fake
        server = try LocalServer { _, header, body in fake.answer(header, body) }
    }

    private func tracker(key: ServiceKey? = nil, time: @escaping () -> Double = { 1000 }) throws -> MLflowTracker {
        MLflowTracker(
            address: try ServiceAddress("http://127.0.0.1:\(server.port)", for: .tracking), key: key, experiment: "größe & more",
            run: folder.url, options: ["seed": .integer(3), "name": .string("opt")], time: time)
    }

    /// Writes metrics.jsonl as a run has it when its sinks hear of the last of these steps.
    private func write(_ steps: ClosedRange<Int>?) throws {
        let lines = steps.map { $0.map { "{\"step\":\($0),\"loss\":\(1 / Double($0 + 1)),\"loss@1\":null}\n" } } ?? []
        try lines.joined().write(to: folder["metrics.jsonl"], atomically: true, encoding: .utf8)
    }

    private func measured(_ step: Int) -> TrainingEvent { .measured(step: step, values: ["loss": 0]) }

    private var points: [FakeMLflow.Point] { fake.contents.withLock { $0.points["run1"] ?? [] } }

    @Test("a run is sent with its options, and its end is said")
    func sending() throws {
        let tracker = try tracker(key: ServiceKey("secret-token", variable: MLflowTracker.keyVariable))
        try write(nil)
        try tracker.cutBack(to: 0)
        #expect(server.requests.isEmpty)
        for step in 0...4 {
            try write(0...step)
            try tracker.handle(measured(step))
        }
        try tracker.handle(.ended(stage: "sft", seconds: 1))
        let state = fake.contents.withLock { $0 }
        #expect(state.experiments == ["größe & more": "7"] && state.runs == ["run1"])
        #expect(points.map(\.step) == [0, 1, 2, 3, 4] && points.map(\.value) == (0...4).map { 1 / Double($0 + 1) })
        #expect(state.params["run1"] == ["seed": "3", "name": "opt"] && state.status["run1"] == "FINISHED")
        #expect(server.requests.allSatisfy { $0.contains("Bearer secret-token") })
        let kept = try String(contentsOf: folder["mlflow.json"], encoding: .utf8)
        #expect(kept.contains("\"lines\":5") && kept.contains("\"step\":4") && !kept.contains("secret"))
    }

    @Test("a run that goes on is the same run there, and no point is sent twice")
    func resuming() throws {
        let first = try tracker()
        try write(0...6)
        try first.handle(measured(6))
        // back to the checkpoint behind step 3
        try write(0...3)
        let second = try tracker()
        try second.cutBack(to: 3)
        for step in 4...9 {
            try write(0...step)
            try second.handle(measured(step))
        }
        try second.handle(.ended(stage: "sft", seconds: 1))
        #expect(points.map(\.step) == Array(0...9))
        #expect(fake.contents.withLock { $0.runs == ["run1"] && $0.status["run1"] == "FINISHED" })
        // begun again
        try write(nil)
        let third = try tracker()
        try third.cutBack(to: 0)
        try write(0...1)
        try third.handle(.ended(stage: "sft", seconds: 1))
        #expect(fake.contents.withLock { $0.runs == ["run1", "run2"] && $0.points["run2"]?.count == 2 && $0.status["run1"] == "KILLED" })
    }

    /// The server took the batch, but its answer was lost: sent again, the points have the same times, by which a database knows them.
    @Test("a batch whose answer was lost is sent again as it was")
    func losing() throws {
        var now = 1000.0
        let tracker = try tracker { now }
        try write(0...2)
        try tracker.cutBack(to: 2)
        fake.contents.withLock { $0.losesAnswer = true }
        now = 1010
        try write(0...3)
        #expect(throws: (any Error).self) { try tracker.handle(measured(3)) }
        now = 1020
        try write(0...4)
        try self.tracker { now }.cutBack(to: 4)
        #expect(points.count == 6 && Set(points).count == 5 && Set(points.map(\.step)) == [0, 1, 2, 3, 4])
    }

    @Test("a server that is away keeps no run from going on, and gets all of it later")
    func failing() throws {
        var notes: [String] = []
        fake.contents.withLock { $0.isDown = true }
        let sink = TrackerGuard(try tracker(), clock: { 0 }, note: { notes.append($0) })
        try write(0...1)
        for step in 0...1 { sink.handle(measured(step)) }
        #expect(notes.count == 1 && notes[0].contains("MLflow has failed") && notes[0].contains("503"), "\(notes)")
        fake.contents.withLock { $0.isDown = false }
        try write(0...2400)
        sink.handle(.ended(stage: "sft", seconds: 1))
        #expect(points.count == 2401 && Set(points.map(\.step)).count == 2401, "\(points.count)")
        #expect(fake.contents.withLock { $0.widest <= 1000 && $0.status["run1"] == "FINISHED" } && notes.count == 2, "\(notes)")
    }
}
