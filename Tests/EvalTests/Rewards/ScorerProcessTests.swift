import Eval
import Foundation
import Testing

/// Scores by a program of the user's own.
@Suite struct ScorerProcessTests {
    private func requests(_ count: Int, length: Int = 3) -> [RewardRequest] {
        (0..<count).map {
            RewardRequest(query: "q\($0)", response: String(repeating: "é\n\"", count: length), reference: "r")
        }
    }

    /// Answers with the id and a half.
    private let halves = #"sed -u 's/.*"id":\([0-9]*\).*/{"id": \1, "score": \1.5}/'"#

    @Test("it is started once and answers in any number of batches")
    func once() throws {
        let scorer = ScorerProcess(command: halves)
        #expect(scorer.starts == 0)
        var asked = 0
        for count in [1, 5, 0, 40] {
            // no id comes twice
            #expect(try scorer.rewards(for: requests(count)) == (asked..<asked + count).map { Double($0) + 0.5 })
            asked += count
        }
        #expect(scorer.starts == 1)
    }

    @Test("more text than pipes hold blocks neither side")
    func large() throws {
        let scorer = ScorerProcess(command: halves)
        #expect(try scorer.rewards(for: requests(300, length: 2000)).count == 300)
    }

    @Test("one that ends is started again and asked for what is missing")
    func restart() throws {
        let scorer = ScorerProcess(command: "sed -u 3q | " + halves)
        #expect(try scorer.rewards(for: requests(5)) == [0.5, 1.5, 2.5, 3.5, 4.5])
        #expect(scorer.starts == 2)
    }

    @Test(
        "what goes wrong is said, after a second try",
        arguments: [
            ("exit 3", "has ended"), ("no-such-command-here", "has ended"), ("sed -u 's/.*/hello/'", "hello"),
            ("sed -u 's/.*/{\"id\": 0, \"score\": \"x\"}/'", "answered"),
            ("sed -u 's/.*/{\"id\": 0, \"score\": -1e308}/'", "beyond ±3.4e38"),
        ])
    func failures(command: String, words: String) throws {
        let scorer = ScorerProcess(command: command)
        let error = #expect(throws: RewardError.self) { try scorer.rewards(for: requests(2)) }
        #expect(error?.description.contains(words) ?? false, "\(error?.description ?? "")")
        #expect(error?.description.contains(command) ?? false)
        #expect(scorer.starts == 2)
    }

    @Test(
        "an answer that was not asked for, is repeated or late ends the work at once",
        arguments: [
            // never asked for
            "sed -u 's/.*/{\"id\": 99, \"score\": 1}/'", "sed -u 's/.*/{\"id\": -1, \"score\": 1}/'",
            "sed -u 's/.*/{\"id\": -9223372036854775808, \"score\": 1}/'",
            // every answer twice, together
            #"sed -u 's/.*"id":\([0-9]*\).*/{"id": \1, "score": 1}\n{"id": \1, "score": 1}/'"#,
            // the number of the line within its call, as if ids began anew
            #"while read -r line; do echo '{"id": 0, "score": 1}'; read -r line; echo '{"id": 1, "score": 1}'; done"#,
            // an answer again before the next call, and in the middle of it
            #"read -r a; read -r b; printf '{"id": 0, "score": 1}\n{"id": 1, "score": 1}\n'; sleep 0.05; echo '{"id": 1, "score": 2}'; cat >&2"#,
            #"read -r a; read -r b; printf '{"id": 0, "score": 1}\n{"id": 1, "score": 1}\n'; read -r a; echo '{"id": 1, "score": 2}'; cat >&2"#,
            // answers before anything is read: at once, late, to the first question alone, before all is read
            #"printf '{"id": 0, "score": 1}\n{"id": 1, "score": 1}\n'; cat >&2"#,
            #"sleep 0.1; printf '{"id": 0, "score": 1}\n{"id": 1, "score": 1}\n'; cat >&2"#,
            #"echo '{"id": 0, "score": 1}'; sed -u 's/.*"id":\([0-9]*\).*/{"id": \1, "score": 1}/'"#,
            #"read -r a; printf '{"id": 0, "score": 1}\n{"id": 1, "score": 1}\n'; sleep 1; cat >&2"#,
            // an answer to a question that is yet to be asked
            #"read -r a; read -r b; printf '{"id": 0, "score": 1}\n{"id": 1, "score": 1}\n{"id": 2, "score": 1}\n'; cat >&2"#,
        ])
    func notAsked(command: String) throws {
        let scorer = ScorerProcess(command: command, patience: 10)
        let error = #expect(throws: RewardError.self) {
            for _ in 0..<2 {
                let rewards = try scorer.rewards(for: requests(2))
                #expect(rewards == [1, 1])
                usleep(150_000)
            }
        }
        #expect(error?.description.contains("an id that was not requested") ?? false, "\(error?.description ?? "")")
        #expect(scorer.starts == 1)
    }

    @Test("one that begins to read late, or reads letter by letter and answers before the end of the line, is waited for")
    func reading() throws {
        let late = ScorerProcess(command: "sleep 0.3; " + halves)
        #expect(try late.rewards(for: requests(3)) == [0.5, 1.5, 2.5])
        let letters = ScorerProcess(
            command:
                #"n=0; while c=$(dd bs=1 count=1 2>/dev/null); do [ "$c" = "}" ] && { echo "{\"id\": $n, \"score\": 1}"; n=$((n+1)); }; done"#
        )
        for _ in 0..<2 { #expect(try letters.rewards(for: requests(1)) == [1]) }
        #expect(late.starts == 1 && letters.starts == 1)
        // longer than a pipe
        #expect(try ScorerProcess(command: "sleep 0.1; " + halves).rewards(for: requests(2, length: 300_000)).count == 2)
    }

    @Test("blank lines are passed over, between calls too, and ids go on after a second start")
    func blankLines() throws {
        let scorer = ScorerProcess(command: #"sed -u -e 's/.*"id":\([0-9]*\).*/\n \r\n{"id": \1, "score": \1}\r\n\n/' -e 3q"#)
        for first in [0, 2, 4] { #expect(try scorer.rewards(for: requests(2)) == [Double(first), Double(first + 1)]) }
        #expect(scorer.starts == 2)
    }

    @Test("a silent one is not waited for without end")
    func silence() throws {
        let scorer = ScorerProcess(command: "sleep 30", patience: 0.1)
        let error = #expect(throws: RewardError.self) { try scorer.rewards(for: requests(1)) }
        #expect(error?.description.contains("has not answered") ?? false)
    }
}

/// Rewards that need no model.
@Suite struct TextRewardTests {
    private func request(
        _ response: String, reference: String? = "the cat sat", query: String = "a long text", ids: [Int32] = []
    )
        -> RewardRequest
    {
        RewardRequest(query: query, response: response, reference: reference, responseTokens: ids)
    }

    @Test("ROUGE and BLEU against a reference, or against its characters")
    func references() throws {
        let requests = ["the cat sat", "a dog", "", "t"].map { request($0) }
        let rouge = try ROUGEReward().rewards(for: requests)
        #expect(abs(rouge[0] - 1) < 1e-6 && rouge[1] == 0 && rouge[2] == 0)
        let bleu = try BLEUReward().rewards(for: requests)
        #expect(abs(bleu[0] - 1) < 1e-6 && bleu[2] == 0)
        let characters = try ROUGEReward(readsReferenceByCharacter: true).rewards(for: requests)
        #expect(characters[0] == 0 && abs(characters[3] - 1) < 1e-6)
        let some = [request("x"), request("y", reference: nil, query: "first"), request("y", reference: nil, query: "second")]
        for reward in [ROUGEReward(), BLEUReward(), GoldScore()] as [any RewardFunction] {
            let error = #expect(throws: RewardError.self) { try reward.rewards(for: some) }
            #expect(error == .noReference(prompts: 2, of: 3, first: "first"))
            #expect(error?.description.contains("2 of 3 prompts have none") == true)
            #expect(throws: RewardError.noReference(prompts: 2, of: 3, first: "first")) {
                try WeightedReward([(1, LengthReward()), (2, reward)]).checkReferences(some)
            }
        }
        try LengthReward().checkReferences(some)
    }

    @Test("token ids above a threshold, of the response or of the widest one")
    func tokens() throws {
        let requests = [
            request("", ids: [1, 30_000, 50_256, 25_000]), request("", ids: [25_001, 2]), request("", ids: []),
        ]
        #expect(try TokenIDReward().rewards(for: requests) == [0.25, 0.5, 0])
        #expect(try TokenIDReward(dividesByWidth: true).rewards(for: requests) == [0.25, 0.25, 0])
        #expect(try TokenIDReward(threshold: 1, excluded: nil).rewards(for: requests) == [0.75, 1, 0])
    }

    @Test("length, compression, patterns")
    func others() throws {
        let requests = [request("one two"), request("one two three four"), request("")]
        #expect(try LengthReward().rewards(for: requests) == [2, 4, 0])
        #expect(try LengthReward(words: 2).rewards(for: requests) == [0, -1, -1])
        #expect(
            try CompressionReward().rewards(for: [
                request("abc", query: "abcdef"), request(""), request("abc", query: "ab"),
            ]) == [0.5, 0, 0])
        #expect(try PatternReward("t[wh]").rewards(for: requests) == [1, 1, 0])
        #expect(try PatternReward("three", wantsMatch: false).rewards(for: requests) == [1, 0, 1])
        #expect(throws: RewardError.self) { try PatternReward("(") }
    }

    @Test("where a score is read")
    func positions() {
        #expect(ScorePosition.lastToken.index(in: [1, 5, 2]) == 2)
        // the end of sequence counts as padding: one token early; an id in the text shifts it further
        #expect(ScorePosition.paddingCount(padding: 2).index(in: [1, 5, 6, 2]) == 2)
        #expect(ScorePosition.paddingCount(padding: 2).index(in: [2, 5, 6, 2]) == 1)
        #expect(ScorePosition.paddingCount(padding: 1).index(in: [2, 5, 6, 2]) == 3)
        #expect(ScorePosition.paddingCount(padding: 2).index(in: [2, 2]) == 0)
    }
}
