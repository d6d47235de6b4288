internal import Data
internal import Formats
public import Foundation
public import Train

/// Writes a TensorBoard event file into a run folder: metrics, sample texts, histograms of rewards and lengths, and the options.
///
/// Metrics come from `metrics.jsonl`. When a run resumes, the event file is truncated to the checkpoint and brought up to date,
/// so that no point appears twice. Unlike all other files, it contains wall-clock times and therefore differs between runs of the
/// same command.
public final class TensorBoardSink: Tracker {
    /// The folder's name in a run folder.
    public static let folderName = "tensorboard"
    /// The file's name, which contains `tfevents`, as TensorBoard requires.
    static let fileName = "events.out.tfevents.0000000000.swift-rlhf"

    /// The tracker's name, "TensorBoard".
    public let name = "TensorBoard"
    private let run: URL
    private let options: [String: OptionValue]
    private let clock: () -> Double
    private var file: AppendOnlyFile?
    /// The steps whose metrics the file contains, in order.
    private var steps: [Int] = []
    /// The tags and steps of the texts and histograms that the file contains.
    private var sampled: Set<String> = []

    /// Creates the tracker of a run.
    /// - Parameters:
    ///   - run: The run folder.
    ///   - options: The options of the run, displayed as hyper-parameters.
    ///   - clock: Returns the time in seconds since 1970.
    public init(inRun run: URL, options: [String: OptionValue], clock: @escaping () -> Double = { Date().timeIntervalSince1970 }) {
        (self.run, self.options, self.clock) = (run, options, clock)
    }

    private var url: URL { run.appendingPathComponent(Self.folderName, isDirectory: true).appendingPathComponent(Self.fileName) }

    /// Appends the records for an event.
    /// - Throws: `FileError`.
    public func handle(_ event: TrainingEvent) throws {
        switch event {
        case .measured(let step, let values):
            try open()
            try append(Measurement(step: step, values: values))
        case .sampled(let table, let rows):
            try open()
            try append(rows, of: table)
        case .began, .progressed, .part, .noted, .ended: break
        }
    }

    /// Keeps the records up to `step` and appends the metrics in `metrics.jsonl` that are missing.
    /// - Throws: `FileError`; `RunFolderError.badLine`.
    public func catchUp(cuttingTo step: Int?) throws {
        file = nil
        let hasMetrics = try FileStatus.of(run.appendingPathComponent(MetricsFile.fileName)) != nil
        let measured = hasMetrics ? try MetricsFile.read(inRun: run).filter { !$0.values.isEmpty } : []
        let content = try FileStatus.of(url) == nil ? [] : Descriptor.content(of: url.path, limit: 1 << 30)
        let (records, length) = RecordFile.records(in: content)
        // this program writes the first record in one piece, so its files always start with a complete record
        guard content.isEmpty || !records.isEmpty else {
            throw FileError.damaged(path: url.path, problem: "it is not an event file; remove it, or run without --tensorboard")
        }
        // without metrics, the file is removed and later created again
        guard !measured.isEmpty else {
            if !content.isEmpty { try LeftOvers.removeTree(url.path) }
            return
        }
        let events = records.compactMap(EventRecord.init(bytes:))
        let kept = events.filter { event in step.map { event.step <= $0 } ?? true }
        let keptSteps = kept.filter(\.hasNumbers).map(\.step)
        let isPrefix = keptSteps.count <= measured.count && zip(keptSteps, measured).allSatisfy { $0 == $1.step }
        let good = isPrefix && !kept.isEmpty ? kept : kept.filter { !$0.hasNumbers }
        if good.count < records.count || length < content.count || good.isEmpty {
            let all = good.isEmpty ? header : good
            try Folder.make(url.deletingLastPathComponent())
            try AtomicFile.write(all.flatMap { RecordFile.framed($0.bytes) }, to: url)
        }
        steps = good.filter(\.hasNumbers).map(\.step)
        sampled = Set(good.flatMap { event in event.tags.map { "\(event.step) \($0)" } })
        try open()
        for measurement in measured.dropFirst(steps.count) { try append(measurement) }
    }

    // MARK: Records

    private func open() throws {
        guard file == nil else { return }
        try Folder.make(url.deletingLastPathComponent())
        let opened = try AppendOnlyFile(url)
        file = opened
        if try opened.length() == 0 { for event in header { try write(event) } }
    }

    private var header: [EventRecord] {
        let now = clock()
        let shown = options.sorted { $0.key < $1.key }.filter { $0.value != .null }
        let table = shown.map { "| \(MarkdownText.cell($0.key, 100)) | \(MarkdownText.cell($0.value.shown, 500)) |\n" }.joined()
        return [
            EventRecord(wallTime: now, step: 0, content: .fileVersion("brain.Event:2")),
            EventRecord(
                wallTime: now, step: 0,
                content: .summary([
                    SummaryValue("options", .text("| option | value |\n|---|---|\n" + table)),
                    SummaryValue("_hparams_/session_start_info", .hyperParameters(HyperParameters.sessionStart(shown, time: now))),
                ])),
        ]
    }

    private func append(_ measurement: Measurement) throws {
        let values = measurement.values.sorted { $0.key < $1.key }.filter { $0.value.isFinite }
            .map { SummaryValue($0.key, .scalar(Float($0.value))) }
        guard !values.isEmpty else { return }
        try write(EventRecord(wallTime: clock(), step: measurement.step, content: .summary(values)))
        steps.append(measurement.step)
    }

    private func append(_ rows: [SampleRow], of table: String) throws {
        // rows without a step, such as those of best-of-N, are only in the run's tables
        guard let step = rows.first?.numbers["step"].flatMap({ Int(exactly: $0) }) else { return }
        var values = [SummaryValue("texts/\(table)", .text(MarkdownText.table(rows)))]
        for (name, numbers) in [("reward", rows.compactMap(\.reward)), ("tokens", rows.compactMap { $0.numbers["tokens"] })] {
            if let histogram = EventHistogram(numbers) { values.append(SummaryValue("\(table)/\(name)", .histogram(histogram))) }
        }
        values.removeAll { !sampled.insert("\(step) \($0.tag)").inserted }
        guard !values.isEmpty else { return }
        try write(EventRecord(wallTime: clock(), step: step, content: .summary(values)))
    }

    private func write(_ event: EventRecord) throws {
        try RecordFile.framed(event.bytes).withUnsafeBytes { try file?.append($0) }
    }
}

extension EventRecord {
    /// Whether the event contains metrics, that is, a line of metrics.jsonl.
    fileprivate var hasNumbers: Bool {
        guard case .summary(let values) = content else { return false }
        return values.contains { if case .scalar = $0.kind { true } else { false } }
    }

    /// The tags of the event's texts and histograms.
    fileprivate var tags: [String] {
        guard case .summary(let values) = content else { return [] }
        return values.compactMap { value in
            switch value.kind {
            case .text, .histogram: value.tag
            case .scalar, .hyperParameters: nil
            }
        }
    }
}
