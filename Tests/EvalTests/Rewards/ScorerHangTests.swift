import Eval
import Foundation
import Testing

/// Scorers that would keep a program waiting, or stay behind.
@Suite struct ScorerHangTests {
    private let requests = (0..<3).map { RewardRequest(query: "q\($0)", response: "r\($0)", reference: nil) }
    /// Answers every line with 1.
    private static let ones = #"sed -u 's/.*"id":\([0-9]*\).*/{"id": \1, "score": 1}/'"#

    /// A file for the numbers of processes.
    private func file() -> URL { FileManager.default.temporaryDirectory.appendingPathComponent("scorer-\(UUID().uuidString)") }

    /// The processes of a file that still run, a moment after they were made to end.
    private func running(in file: URL) throws -> [Int32] {
        for _ in 0..<200 {
            if try alive(in: file).isEmpty { break }
            usleep(10_000)
        }
        return try alive(in: file)
    }

    private func alive(in file: URL) throws -> [Int32] {
        let text = try String(contentsOf: file, encoding: .utf8)
        let numbers = text.split(separator: "\n").compactMap { Int32($0) }
        #expect(!numbers.isEmpty)
        return numbers.filter { number in
            // one that has ended may not have been waited for yet by whoever took it over
            let state = (try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8)) ?? ""
            return kill(number, 0) == 0 && !state.contains(") Z ")
        }
    }

    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = SuspendingClock.now
        try body()
        return (SuspendingClock.now - start) / .seconds(1)
    }

    @Test(
        "nothing that a scorer does is waited for much longer than its patience, and nothing of it stays",
        arguments: [
            ("trap '' TERM; sleep 60", "has not answered"), ("trap '' TERM INT HUP; sleep 60; sleep 60", "has not answered"),
            ("kill -STOP $$", "has not answered"), ("while :; do echo; sleep 0.02; done", "has not answered"),
            ("yes ''", "has not answered"), ("yes ' '", "has not answered"), ("while :; do printf x; sleep 0.02; done", "has not answered"),
            ("tr '\\0' x < /dev/zero", "a line of more than 1 MiB"),
            ("head -c 3000000 /dev/zero; echo; sleep 60", "a line of more than 1 MiB"), ("sleep 60 & exit 3", "has ended (exit 3)"),
            ("sleep 60 & kill -9 $$", "has ended (signal 9)"), ("exec >&-; sleep 60", "has ended"), ("exec <&-; sleep 60", "has ended"),
            ("sleep 60 >&2 & sleep 60", "has not answered"),
        ])
    func hanging(command: String, words: String) throws {
        let file = file()
        defer { try? FileManager.default.removeItem(at: file) }
        // enough to fill the pipe of one that does not read
        let requests = (0..<50).map { _ in RewardRequest(query: "", response: String(repeating: "a", count: 4000), reference: nil) }
        let scorer = ScorerProcess(command: "echo $$ >> \(file.path); \(command)", patience: 0.3)
        let time = seconds {
            let error = #expect(throws: RewardError.self) { _ = try scorer.rewards(for: requests) }
            #expect(error?.description.contains(words) ?? false, "\(error?.description ?? "")")
        }
        // two starts, each with its patience and an end by force; and room for a busy machine
        #expect(time < 15, "\(time) s")
        #expect(scorer.starts == 2)
        #expect(try running(in: file) == [])
    }

    @Test(
        "one that has answered is ended, with all that it has started",
        arguments: [
            "trap '' TERM; \(ones); sleep 60", "sleep 60 & echo $! >> FILE; exec \(ones)",
            "(trap '' TERM; sleep 60; sleep 60) & echo $! >> FILE; \(ones)", "\(ones) | cat",
        ])
    func ending(command: String) throws {
        let file = file()
        defer { try? FileManager.default.removeItem(at: file) }
        let time = try seconds {
            let scorer = ScorerProcess(
                command: "echo $$ >> \(file.path); " + command.replacingOccurrences(of: "FILE", with: file.path))
            let rewards = try scorer.rewards(for: requests)
            #expect(rewards == [1, 1, 1])
        }
        #expect(time < 10, "\(time) s")
        #expect(try running(in: file) == [])
    }

    @Test("every answer begins the patience anew, and a long line in small pieces costs no time")
    func slow() throws {
        let scorer = ScorerProcess(
            command: #"i=0; while read -r line; do sleep 0.4; echo "{\"id\": $i, \"score\": 1}"; i=$((i + 1)); done"#, patience: 1.5)
        let many = (0..<6).map { _ in RewardRequest(query: "", response: "", reference: nil) }
        #expect(try scorer.rewards(for: many) == [1, 1, 1, 1, 1, 1])
        #expect(scorer.starts == 1)
        let wide = ScorerProcess(
            command: #"read -r line; printf '{"id": 0, "more": "'; head -c 1000000 /dev/zero | tr '\0' x; echo '", "score": 2}'; cat"#)
        #expect(try wide.rewards(for: Array(requests.prefix(1))) == [2])
    }

    @Test("it begins with signals as they are in a new process")
    func signals() throws {
        // the shell cannot take back what was ignored when it began; a pipe without a reader ends the writer
        let scorer = ScorerProcess(
            command: #"grep -q '^SigIgn:.*[13579bdf]...$' /proc/self/status && exit 9; "# + Self.ones)
        #expect(try scorer.rewards(for: requests) == [1, 1, 1])
        let broken = ScorerProcess(command: "(read -r a; sh -c 'kill -PIPE $$'; echo '{\"id\": 0, \"score\": '$?'}')")
        #expect(try broken.rewards(for: Array(requests.prefix(1))) == [141])
    }

    @Test("many at a time do not hold each other's pipes open")
    func together() async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<12 {
                group.addTask {
                    let requests = (0..<3).map { RewardRequest(query: "q\($0)", response: "", reference: nil) }
                    let scorer = ScorerProcess(command: Self.ones)
                    return try scorer.rewards(for: requests) == [1, 1, 1]
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }
}
