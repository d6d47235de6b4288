internal import Formats
package import Foundation
package import Runs
package import Train

/// Sends the metrics of a run to an MLflow server.
///
/// `mlflow.json` in the run folder stores the ID of the MLflow run and the number of lines of `metrics.jsonl` that the server
/// has. A run that resumes from a checkpoint repeats some lines; they are identical and are not sent again. A run that restarts
/// gets a new MLflow run. If it is unknown whether a batch arrived, it is sent again with the same timestamps, so that the
/// server's database stores it only once.
package final class MLflowTracker: Tracker {
    /// The environment variable for the access token.
    package static var keyVariable: String { "MLFLOW_TRACKING_TOKEN" }
    /// The name of the state file in a run folder.
    package static var fileName: String { "mlflow.json" }
    /// MLflow's limits for one request: metrics, parameters, and characters of a value.
    private static var limits: (metrics: Int, parameters: Int, text: Int) { (1000, 100, 500) }
    /// The minimum time between two requests during the run, in seconds.
    private static var interval: Double { 5 }

    /// The tracker's name, "MLflow".
    package var name: String { "MLflow" }
    private let client: MLflowClient
    private let experiment: String
    private let run: URL
    private let options: [String: OptionValue]
    private let time: () -> Double
    private var state: State?
    private var lastSent = -Double.infinity

    /// The stored state of the MLflow run.
    private struct State: Codable {
        var uri: String
        var run_id: String
        var status = "RUNNING"
        var has_parameters = false
        /// The number of lines of metrics.jsonl that the server has.
        var lines = 0
        /// The greatest step in these lines.
        var step = 0
        /// The last line of a batch that may have arrived, and the timestamp of the batch in milliseconds since 1970.
        var pending_lines = 0
        var pending_time: Int64 = 0
    }

    /// Creates the tracker of a run.
    /// - Parameters:
    ///   - address: The URL of the server.
    ///   - key: The access token; nil sends none.
    ///   - experiment: The name of the MLflow experiment.
    ///   - run: The run folder.
    ///   - options: The options of the run, which are logged as parameters.
    ///   - time: Returns the time in seconds since 1970.
    package init(
        address: ServiceAddress, key: ServiceKey?, experiment: String, run: URL, options: [String: OptionValue],
        time: @escaping () -> Double = { Date().timeIntervalSince1970 }
    ) {
        client = MLflowClient(address: address, key: key)
        (self.experiment, self.run, self.options, self.time) = (experiment, run, options, time)
    }

    /// Sends new metrics, at most once per interval, and marks the run as finished at its end.
    package func handle(_ event: TrainingEvent) throws {
        switch event {
        case .measured: if time() - lastSent >= Self.interval { try send() }
        case .ended:
            try send()
            try setStatus("FINISHED")
        case .began, .progressed, .part, .sampled, .noted: break
        }
    }

    /// Sends the metrics that the server lacks. If the run restarts, its earlier MLflow run is marked as killed.
    package func catchUp(cuttingTo step: Int?) throws {
        if state == nil { state = try stored() }
        if let earlier = state, try measured().isEmpty {
            // a run without metrics restarts; a failure to end the earlier MLflow run is ignored
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

    /// Sends the lines of metrics.jsonl that the server lacks, in batches of complete lines where these fit the limit.
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
            // repeat a batch that may have arrived with the same lines
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

    /// The options as strings, cut to the length that every version of the server accepts.
    private var parameters: [MLflowClient.Parameter] {
        options.sorted { $0.key < $1.key }.map { .init(key: Self.named($0.key), value: String($0.value.text.prefix(Self.limits.text))) }
    }

    /// A name in which characters that MLflow does not accept are replaced.
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

    /// The state stored by an earlier session; nil if it belongs to another server or is invalid.
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
    /// The elements in groups of at most `count`.
    fileprivate func chunks(of count: Int) -> [[Element]] {
        stride(from: 0, to: self.count, by: count).map { Array(self[$0..<Swift.min($0 + count, self.count)]) }
    }
}
