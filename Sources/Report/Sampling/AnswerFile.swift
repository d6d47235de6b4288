import Formats
import Foundation
import Study

/// The output file of `ModelSampling`. It always holds whole rows, and at most ten seconds of work are lost if the program is killed.
struct AnswerFile {
    private let url: URL
    private var rows: [SampledAnswer] = []
    private var lastWrite = ContinuousClock.now

    /// Checks that the file can be written before anything is sampled.
    /// - Parameter read: files that are read, which must not be replaced.
    /// - Throws: `InvalidSetting` if the path names something other than an earlier file of answers; `FileError` for a missing folder.
    init(_ path: String, isNoneOf read: [URL]) throws {
        url = URL(fileURLWithPath: path)
        try OutputFile.check(url, option: "--answers-output", isNoneOf: read)
        let parent = url.deletingLastPathComponent()
        guard try FileStatus.of(parent)?.kind == .folder else { throw FileError.missing(path: parent.path) }
        guard let status = try FileStatus.of(url) else { return }
        guard status.kind == .file, try Self.holdsAnswers(url) else {
            throw InvalidSetting(
                "--answers-output \(path) exists and is not a file of answers; name another file, so that nothing is lost")
        }
    }

    /// Whether a file is empty or begins with a row of answers.
    private static func holdsAnswers(_ url: URL) throws -> Bool {
        let handle = try FileHandle(forReadingFrom: url)
        defer { try? handle.close() }
        let beginning = try handle.read(upToCount: 1 << 20) ?? Foundation.Data()
        guard let line = beginning.split(separator: 10, maxSplits: 1).first else { return true }
        return (try? JSONDecoder().decode(SampledAnswer.self, from: Foundation.Data(line))) != nil
    }

    /// Adds rows.
    /// - Parameter isUrgent: whether they are written at once, not only every ten seconds.
    mutating func add(_ new: [SampledAnswer], isUrgent: Bool) throws {
        rows += new
        if isUrgent || lastWrite.duration(to: .now) > .seconds(10) { try write() }
    }

    /// Writes all rows.
    /// - Returns: their number.
    @discardableResult
    mutating func write() throws -> Int {
        try JSONLines<SampledAnswer>(url).write(rows)
        lastWrite = .now
        return rows.count
    }
}
