internal import Formats
package import Foundation
package import Runs
package import Train

/// Sends what a run measures to an MLflow server.
///
/// `mlflow.json` in the run folder says which run it is there, and how many lines of `metrics.jsonl` the server has. A run that goes on from
/// a checkpoint measures some lines again: they are the same, and are not sent again. A run that begins again is another one there, too.
/// A batch that may or may not have arrived is sent with the times that it had: the server's database then keeps it once.
package final class MLflowTracker: Tracker {
    /// The variable of the environment that a token is read from.
    package static var keyVariable: String { "MLFLOW_TRACKING_TOKEN" }
    /// The file in a run folder.
    package static var fileName: String { "mlflow.json" }
    /// MLflow's limits of one request.
    private static var limits: (metrics: Int, parameters: Int, text: Int) { (1000, 100, 500) }
    /// Seconds between two requests while the run goes on.
    private static var interval: Double { 5 }

    package var name: String { "MLflow" }
    private let client: MLflowClient
    private let experiment: String
    private let run: URL
    private let options: [String: OptionValue]
    private let time: () -> Double
    private var state: State?
    private var lastSent = -Double.infinity

    /// What is known of the run there.
    private struct State: Codable {
        var uri: String
        var run_id: String
        var status = "RUNNING"
        var has_parameters = false
        /// Lines of metrics.jsonl that the server has.
        var lines = 0
        /// The greatest step among them.
        var step = 0
        /// The end of a batch that may have arrived, and its time in milliseconds.
        var pending_lines = 0
        var pending_time: Int64 = 0
    }

    /// The tracker of a run.
    /// - Parameters:
    ///   - experiment: its name there.
    ///   - run: the run folder.
    ///   - time: seconds since 1970.
    package init(
        address: ServiceAddress, key: ServiceKey?, experiment: String, run: URL, options: [String: OptionValue],
        time: @escaping () -> Double = { Date().timeIntervalSince1970 }
    ) {
        client = MLflowClient(address: address, key: key)
        (self.experiment, self.run, self.options, self.time) = (experiment, run, options, time)
    }

    package func handle(_ event: TrainingEvent) throws {
        switch event {
        case .measured: if time() - lastSent >= Self.interval { try send() }
        case .ended:
            try send()
            try setStatus("FINISHED")
        case .began, .progressed, .sampled, .noted: break
        }
    }

    package func catchUp(cuttingTo step: Int?) throws {
        if state == nil { state = try stored() }
        if let earlier = state, try measured().isEmpty {
            // a run without a line begins again; whether the server hears of the end of the earlier one is not worth a failure
            try? client.update(run: earlier.run_id, status: "KILLED", endTime: now)
            try LeftOvers.removeTree(file.path)
            state = nil
        }
        try send()
    }

    private func setStatus(_ status: String) throws {
        guard var state, state.status != status else { return }
        try client.update(run: state.run_id, status: status, endTime: status == "RUNNING" ? nil : now)
        state.status = status
        try keep(state)
    }

    /// The lines of metrics.jsonl.
    private func measured() throws -> [Runs.Measurement] {
        guard try FileStatus.of(run.appendingPathComponent(MetricsFile.fileName)) != nil else { return [] }
        return try MetricsFile.read(inRun: run)
    }

    /// Sends the lines of metrics.jsonl that the server lacks, in batches of whole lines as far as these fit.
    private func send() throws {
        if state == nil { state = try stored() }
        var queue = try measured().dropFirst(state?.lines ?? 0)
        guard !queue.isEmpty else { return }
        lastSent = time()
        var state = try state ?? begin()
        self.state = state
        try setStatus("RUNNING")
        state = self.state ?? state
        if !state.has_parameters {
            for part in parameters.chunks(of: Self.limits.parameters) { try client.log(run: state.run_id, metrics: [], parameters: part) }
            state.has_parameters = true
            try keep(state)
        }
        while !queue.isEmpty {
            var (batch, count) = (0, 0)
            // a batch that was on its way goes again as it was, up to its end
            let isPending = state.lines < state.pending_lines
            while batch < queue.count, batch == 0 || count + queue[queue.startIndex + batch].values.count <= Self.limits.metrics,
                !isPending || state.lines + batch < state.pending_lines
            {
                count += queue[queue.startIndex + batch].values.count
                batch += 1
            }
            let lines = queue.prefix(batch)
            if !isPending {
                (state.pending_lines, state.pending_time) = (state.lines + batch, now)
                try keep(state)
            }
            let metrics = lines.flatMap { line in
                line.values.sorted { $0.key < $1.key }.filter { $0.value.isFinite && $0.key != "step" }.map {
                    MLflowClient.Metric(key: Self.named($0.key), value: $0.value, timestamp: state.pending_time, step: line.step)
                }
            }
            for part in metrics.chunks(of: Self.limits.metrics) { try client.log(run: state.run_id, metrics: part) }
            state.lines += batch
            state.step = max(state.step, lines.map(\.step).max() ?? 0)
            queue.removeFirst(batch)
            try keep(state)
        }
    }

    private func begin() throws -> State {
        let id = try client.experiment(experiment)
        let state = State(
            uri: client.address.description, run_id: try client.createRun(experiment: id, name: run.lastPathComponent, time: now))
        try keep(state)
        return state
    }

    /// Options as texts, cut to the length that every version of the server takes.
    private var parameters: [MLflowClient.Parameter] {
        options.sorted { $0.key < $1.key }.map { .init(key: Self.named($0.key), value: String($0.value.text.prefix(Self.limits.text))) }
    }

    /// A name with the characters that MLflow takes.
    private static func named(_ name: String) -> String {
        String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_-./ ".contains($0)) ? $0 : "_" })
    }

    private var now: Int64 { Int64(time() * 1000) }
    private var file: URL { run.appendingPathComponent(Self.fileName) }

    private func keep(_ state: State) throws {
        self.state = state
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(Array(encoder.encode(state)) + [0x0a], to: file)
    }

    /// What an earlier session has kept; nil for another server, and for a file that says nothing.
    private func stored() throws -> State? {
        guard try FileStatus.of(file) != nil else { return nil }
        let content = try Descriptor.content(of: file.path, limit: 1 << 16)
        guard let state = try? JSONDecoder().decode(State.self, from: Data(content)), state.lines >= 0,
            state.uri == client.address.description
        else { return nil }
        return state
    }
}

extension Array {
    /// The elements in parts of at most `count`.
    fileprivate func chunks(of count: Int) -> [[Element]] {
        stride(from: 0, to: self.count, by: count).map { Array(self[$0..<Swift.min($0 + count, self.count)]) }
    }
}
