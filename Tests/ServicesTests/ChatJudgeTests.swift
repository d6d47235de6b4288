import Eval
import Foundation
import Services
import Synchronization
import Testing
import _TestSupport

/// A judge behind HTTP: what it asks, how it goes on, and what it makes of a server that answers as it should.
@Suite struct ChatJudgeTests {
    @Test("questions keep their places whatever order the answers come in; the key and the model are sent")
    func asks() throws {
        let server = try LocalServer { number, header, body in
            usleep(UInt32(number % 5) * 3000)
            #expect(header.hasPrefix("POST /v1/chat/completions ") && header.contains("Bearer \(secret)"))
            #expect(body.contains("\"model\":\"tiny\"") && body.contains("\"temperature\":0"))
            // the longer text is better
            return chatAnswer(body.contains("[long] [s") ? "model_1" : "model_2")
        }
        defer { server.stop() }
        let judge = try judge(server)
        let questions = (0..<20).map { pair($0, longIsFirst: $0 % 3 == 0) }
        let opinions = try judge.opinions(for: questions)
        #expect(opinions.map(\.preference) == (0..<20).map { $0 % 3 == 0 ? .first : .second })
        #expect(opinions.allSatisfy { $0.answer?.hasPrefix("model_") ?? false })
        let ledger = try #require(judge.ledger)
        #expect(ledger.questions == 20 && ledger.requests == 20 && ledger.retries == 0 && ledger.fromCache == 0)
        #expect(ledger.promptTokens == 2000 && ledger.completionTokens == 40 && ledger.uncounted == 0 && ledger.seconds > 0)
        #expect(ledger.price == 20 * (100 * 2 + 2 * 10) / 1e6)
        #expect(try judge.preferences(for: []) == [])
    }

    @Test("labels are weighted by their log-probabilities")
    func weighted() throws {
        let server = try LocalServer { number, _, body in
            #expect(body.contains("\"max_tokens\":1,") && body.contains("\"logprobs\":true") && body.contains("\"top_logprobs\":5"))
            return .init(
                status: 200,
                body:
                    #"{"choices":[{"message":{"content":"A"},"finish_reason":"length","logprobs":{"content":[{"token":"A","logprob":-0.2231435513,"#
                    + #""top_logprobs":[{"token":"A","logprob":-0.2231435513},{"token":"B","logprob":-1.6094379124}]}]}}]}"#)
        }
        defer { server.stop() }
        let judge = try judge(server, reading: .logProbabilities)
        let opinions = try judge.opinions(for: [pair(0), pair(1)])
        #expect(opinions.allSatisfy { isClose($0.shareOfFirst ?? 0, 0.8) })
        #expect(judge.ledger?.uncounted == 2)
    }

    @Test("no more requests are under way than allowed, and as many as allowed", arguments: [1, 3])
    func concurrency(limit: Int) throws {
        let running = Mutex((now: 0, most: 0))
        let server = try LocalServer { _, _, _ in
            running.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
            usleep(30_000)
            running.withLock { $0.now -= 1 }
            return chatAnswer("model_1")
        }
        defer { server.stop() }
        _ = try judge(server, concurrency: limit).opinions(for: (0..<12).map { pair($0) })
        #expect(running.withLock { $0.most } == limit)
    }

    @Test("a second run asks nothing, and one that was ended asks the rest")
    func cached() throws {
        let folder = try TemporaryFolder()
        let file = folder["cache.jsonl"]
        let isDown = Mutex(false)
        let server = try LocalServer { number, _, _ in
            if isDown.withLock({ $0 }) || number > 6 { return .init(status: 404, body: "") }
            return chatAnswer("model_2")
        }
        defer { server.stop() }
        let questions = (0..<10).map { pair($0) }
        let first = try judge(server, concurrency: 1, cache: JudgeCache(file))
        #expect(throws: ChatJudge.Failure.refused(status: 404, endpoint: server.chatAddress)) { try first.opinions(for: questions) }
        #expect(text(of: file).split(separator: "\n").count == 6 && !text(of: file).contains(secret))
        // six are known; the service is gone, and nobody asks it about them
        isDown.withLock { $0 = true }
        let known = try judge(server, cache: JudgeCache(file))
        #expect(try known.preferences(for: Array(questions.prefix(6))) == Array(repeating: .second, count: 6))
        #expect(known.ledger?.fromCache == 6 && known.ledger?.requests == 0 && known.ledger?.priceOfThisRun == 0)
        #expect((known.ledger?.price ?? 0) > 0 && known.ledger?.promptTokens == 600)
        // another question, model or seed is another request
        #expect(throws: ChatJudge.Failure.self) { try judge(server, cache: JudgeCache(file), seed: 5).preferences(for: [questions[0]]) }
    }

    /// An answer whose first token is no label, and one whose first token is.
    private static let nothing = #"{"choices":[{"message":{"content":"The"},"logprobs":{"content":[{"token":"The","logprob":-1}]}}]}"#
    private static let label = nothing.replacing("The", with: "B")

    @Test(
        "a question without a verdict is asked again in the next run, whatever was missing",
        arguments: [
            (chatAnswer("I like both texts."), JudgeOmission.unreadable), (chatAnswer("Well, first of", finish: "length"), .cut),
            (chatAnswer(""), .empty), (.init(status: 400, body: ""), .rejected),
            (.init(status: 200, body: "<html></html>"), .malformed), (.init(status: 500, body: ""), .failed), (.none, .failed),
        ])
    func asksAgain(answer: LocalServer.Answer, omission: JudgeOmission) throws {
        let folder = try TemporaryFolder()
        let isRepaired = Mutex(false)
        let server = try LocalServer { _, _, body in
            body.contains("post 2 ") && !isRepaired.withLock { $0 } ? answer : chatAnswer("model_2")
        }
        defer { server.stop() }
        let questions = (0..<4).map { pair($0) }
        let isRecorded = [.unreadable, .cut].contains(omission)
        // the second run finds the judge as it was
        for run in 0..<2 {
            let broken = try judge(server, attempts: 1, cache: JudgeCache(folder["c"]))
            if [.failed, .malformed].contains(omission) {
                #expect(throws: ChatJudge.Failure.self) { try broken.opinions(for: questions) }
            } else {
                #expect(try broken.opinions(for: questions).map(\.omission) == [nil, nil, omission, nil])
            }
            let ledger = try #require(broken.ledger)
            #expect(ledger.requests == (run == 0 ? 4 : 1) && ledger.fromCache == (run == 0 ? 0 : 3))
            #expect(ledger.askedAgain == (run == 1 && isRecorded ? 1 : 0))
        }
        #expect(text(of: folder["c"]).split(separator: "\n").count == (isRecorded ? 5 : 3))
        isRepaired.withLock { $0 = true }
        for requests in [1, 0] {
            let repaired = try judge(server, cache: JudgeCache(folder["c"]))
            #expect(try repaired.preferences(for: questions) == Array(repeating: .second, count: 4))
            #expect(repaired.ledger?.requests == requests && repaired.ledger?.fromCache == 4 - requests)
        }
    }

    @Test("so is one whose log-probabilities have no label")
    func asksAgainWithoutLabel() throws {
        let folder = try TemporaryFolder()
        let server = try LocalServer { number, _, body in
            .init(status: 200, body: body.contains("post 1 ") && number <= 2 ? Self.nothing : Self.label)
        }
        defer { server.stop() }
        for (requests, verdicts) in [(2, [.second, nil]), (1, [.second, .second]), (0, [.second, .second])] as [(Int, [Preference?])] {
            let judge = try judge(server, reading: .logProbabilities, concurrency: 1, cache: JudgeCache(folder["c"]))
            #expect(try judge.preferences(for: [pair(0), pair(1)]) == verdicts && judge.ledger?.requests == requests)
        }
    }

    @Test("each answer lies in the file before the next one comes")
    func flushed() throws {
        let folder = try TemporaryFolder()
        let file = folder["cache.jsonl"]
        let server = try LocalServer { number, _, _ in
            #expect(text(of: file).split(separator: "\n").count == number - 1)
            return chatAnswer("model_2")
        }
        defer { server.stop() }
        _ = try judge(server, concurrency: 1, cache: JudgeCache(file)).opinions(for: (0..<5).map { pair($0) })
        #expect(server.requests.count == 5)
    }

    @Test("progress is told once for each question")
    func progress() throws {
        let server = try LocalServer { _, _, _ in chatAnswer("model_1") }
        defer { server.stop() }
        let seen = Mutex<[Int]>([])
        var options = options()
        options.progress = { done, all in
            #expect(all == 7)
            seen.withLock { $0.append(done) }
        }
        _ = try judge(server, options: options).opinions(for: (0..<7).map { pair($0) })
        #expect(seen.withLock { $0.sorted() } == Array(1...7))
    }
}

/// A judge's server that misbehaves.
@Suite struct HostileJudgeTests {
    @Test("status 429 and 5xx are tried again; the service's wish to be left alone is kept", arguments: [429, 500, 503, 408])
    func retried(status: Int) throws {
        let server = try LocalServer { number, _, _ in
            number <= 2 ? .init(status: status, body: "\(secret)", header: number == 1 ? ["Retry-After: 1"] : []) : chatAnswer("model_1")
        }
        defer { server.stop() }
        let judge = try judge(server, attempts: 3)
        let start = ContinuousClock.now
        #expect(try judge.preferences(for: [pair(0)]) == [.first])
        #expect(ContinuousClock.now - start >= .milliseconds(990))
        #expect(judge.ledger?.requests == 3 && judge.ledger?.retries == 2)
    }

    @Test("a date to wait for; all threads wait")
    func retryAfterDate() throws {
        let times = Mutex<[ContinuousClock.Instant]>([])
        let server = try LocalServer { number, _, _ in
            times.withLock { $0.append(.now) }
            guard number == 1 else { return chatAnswer("model_1") }
            let formatter = DateFormatter()
            formatter.locale = Locale(identifier: "en_US_POSIX")
            formatter.timeZone = TimeZone(secondsFromGMT: 0)
            formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
            return .init(status: 429, body: "", header: ["Retry-After: \(formatter.string(from: Date(timeIntervalSinceNow: 2.5)))"])
        }
        defer { server.stop() }
        _ = try judge(server, concurrency: 1, attempts: 2).opinions(for: (0..<4).map { pair($0) })
        let all = times.withLock { $0 }
        #expect(all.count == 5 && all[1] - all[0] > .milliseconds(1000))
    }

    @Test(
        "a wish to wait longer than the time-out is not waited for",
        arguments: ["86400", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
    func longWait(value: String) throws {
        let server = try LocalServer { number, _, body in
            body.contains("post 0") ? .init(status: 429, body: "", header: ["Retry-After: \(value)"]) : chatAnswer("model_1")
        }
        defer { server.stop() }
        let failure = try expectJudgeFailure(judge(server), questions: 2)
        #expect(
            failure.description.contains("did not answer 1 of 2 questions (1 failed; the last: status 429, and it asks"),
            "\(failure)")
        #expect(server.requests.count == 2)
    }

    @Test(
        "what cannot be read leaves its question without a verdict, and the others with theirs",
        arguments: [
            (LocalServer.Answer(status: 400, body: ""), JudgeOmission.rejected), (.init(status: 413, body: ""), .rejected),
            (.init(status: 422, body: ""), .rejected), (.init(status: 500, body: ""), .failed), (.none, .failed),
            (.init(status: 200, body: "<html>\(secret)</html>", header: ["Content-Type: text/html"]), .malformed),
            (.init(status: 200, body: ""), .malformed), (.init(status: 200, body: "{\"choices\": ["), .malformed),
            (.init(status: 200, body: "{\"choices\": []}"), .malformed),
            (.init(status: 200, body: "{\"error\": {\"message\": \"\(secret)\"}}"), .malformed),
            (.init(status: 200, body: "{\"choices\": [{\"message\": {\"content\": 3}}]}"), .malformed),
            (.init(status: 200, body: "x", header: ["Content-Encoding: gzip"]), .malformed),
            (.init(status: 200, body: String(repeating: " ", count: 300_000)), .malformed), (chatAnswer(""), .empty),
            (chatAnswer("I like both texts."), .unreadable), (chatAnswer("Well, first of", finish: "length"), .cut),
            (chatAnswer("x", finish: "content_filter"), .empty),
        ])
    func omitted(answer: LocalServer.Answer, omission: JudgeOmission) throws {
        let server = try LocalServer { _, _, body in body.contains("post 2 ") ? answer : chatAnswer("model_1") }
        defer { server.stop() }
        let judge = try judge(server, attempts: 2)
        if [.failed, .malformed].contains(omission) {
            // another try may mend it: there is no result yet
            let failure = try expectJudgeFailure(judge, questions: 5)
            let words = "did not answer 1 of 5 questions (1 \(omission.rawValue); the last: "
            #expect(failure.description.contains(words), "\(failure)")
        } else {
            let opinions = try judge.opinions(for: (0..<5).map { pair($0) })
            #expect(opinions.map(\.omission) == [nil, nil, omission, nil, nil])
            #expect(opinions.map(\.preference) == [.first, .first, nil, .first, .first])
        }
        #expect(server.requests.count == (omission == .failed ? 6 : 5))
    }

    @Test("a service that dies midway leaves no result; the answers are kept, and the rest is asked the next time")
    func diesMidway() throws {
        let folder = try TemporaryFolder()
        let isWell = Mutex(false)
        let server = try LocalServer { number, _, _ in
            number <= 10 || isWell.withLock { $0 } ? chatAnswer("model_1") : .init(status: 503, body: "")
        }
        defer { server.stop() }
        let questions = (0..<20).map { pair($0) }
        let first = try judge(server, concurrency: 1, attempts: 1, cache: JudgeCache(folder["c"]))
        let failure = #expect(throws: ChatJudge.Failure.self) { try first.opinions(for: questions) }
        #expect(
            failure
                == .unfinished(
                    endpoint: server.chatAddress, failed: 10, questions: 20, reason: "10 failed; the last: status 503",
                    cache: folder["c"].path))
        #expect(failure?.description.contains("the answers are kept in \(folder["c"].path); run the same command again") ?? false)
        isWell.withLock { $0 = true }
        let second = try judge(server, cache: JudgeCache(folder["c"]))
        #expect(try second.preferences(for: questions) == Array(repeating: .first, count: 20))
        #expect(second.ledger?.fromCache == 10 && second.ledger?.requests == 10)
    }

    @Test("a right answer counts whatever its content type says, and with a byte-order mark")
    func contentType() throws {
        let server = try LocalServer { _, _, _ in
            .init(status: 200, body: "\u{FEFF}" + chatAnswer("model_2").body, header: ["Content-Type: text/html; charset=latin1"])
        }
        defer { server.stop() }
        #expect(try judge(server).preferences(for: [pair(0)]) == [.second])
    }

    @Test("torn connections and slow drips are tried again")
    func torn() throws {
        let server = try LocalServer { (connection: LocalServer.Connection) in
            switch connection.number {
            case 1: connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"choices\": [")
            case 2: connection.reset()
            case 3:
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while connection.write(" ") { usleep(20_000) }
            default:
                let body = chatAnswer("model_1").body
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
                for byte in body.utf8 { connection.write([byte]) }
            }
        }
        defer { server.stop() }
        var options = options()
        options.timeout = 0.5
        #expect(try judge(server, options: options).preferences(for: [pair(0)]) == [.first])
        #expect(server.requests.count == 4)
    }

    @Test("a body without end is cut at its bound")
    func endless() throws {
        let server = try LocalServer { (connection: LocalServer.Connection) in
            guard connection.body.contains("post 0 ") else {
                let body = chatAnswer("model_1").body
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
                return
            }
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "4000\r\n" + String(repeating: " ", count: 0x4000) + "\r\n"
            while connection.write(chunk) {}
        }
        defer { server.stop() }
        let failure = try expectJudgeFailure(judge(server), questions: 2)
        #expect(failure.description.contains("1 malformed; the last: the response is longer than"), "\(failure)")
    }

    @Test("no log-probabilities, and none of the labels")
    func withoutLogProbabilities() throws {
        let others =
            #"{"choices":[{"message":{"content":"The"},"logprobs":{"content":[{"token":"The","logprob":-0.1,"top_logprobs":[]}]}}]}"#
        let server = try LocalServer { _, _, body in
            if body.contains("post 0 ") { return chatAnswer("A") }
            if body.contains("post 1 ") { return .init(status: 200, body: others) }
            return .init(status: 200, body: others.replacing("\"The\"", with: "\"B\""))
        }
        defer { server.stop() }
        let opinions = try judge(server, reading: .logProbabilities).opinions(for: [pair(0), pair(1), pair(2)])
        #expect(opinions.map(\.omission) == [.noLogProbabilities, .noLabel, nil] && opinions[2].preference == .second)
        // a service that gives none at all is named as one
        let none = try LocalServer { _, _, _ in chatAnswer("A") }
        defer { none.stop() }
        let failure = try expectJudgeFailure(judge(none, reading: .logProbabilities), questions: 3)
        #expect(failure.description.contains("no log-probabilities"), "\(failure)")
    }

    @Test("a prompt that was cut ends the run and names the question", arguments: [1, 10])
    func truncated(counted: Int) throws {
        let folder = try TemporaryFolder()
        let server = try LocalServer { _, _, body in chatAnswer("model_1", prompt: body.contains("post 3 ") ? counted : 100) }
        defer { server.stop() }
        let failure = try expectJudgeFailure(judge(server, concurrency: 1, cache: JudgeCache(folder["c"])), questions: 5)
        guard case .truncated(let task, server.chatAddress, counted, let expected) = failure else {
            Issue.record("\(failure)")
            return
        }
        #expect(task.hasPrefix("question 3 ('post 3 ") && expected > 10)
        // what was cut is not kept
        #expect(text(of: folder["c"]).split(separator: "\n").count == 3)
        // whoever knows better may say so
        var options = options()
        options.concurrency = 1
        let judge = try judge(server, options: options, check: false)
        #expect(try judge.preferences(for: [pair(3)]) == [.first])
    }

    @Test(
        "counts that a service does not give, or that cannot be, are told as such",
        arguments: [
            "", ",\"usage\":null", ",\"usage\":{}", ",\"usage\":{\"prompt_tokens\":0}", ",\"usage\":{\"prompt_tokens\":-4}",
            ",\"usage\":{\"prompt_tokens\":\"many\"}", ",\"usage\":{\"prompt_tokens\":1e400}", ",\"usage\":[1]",
        ])
    func uncounted(usage: String) throws {
        let server = try LocalServer { _, _, _ in
            .init(status: 200, body: "{\"choices\":[{\"message\":{\"content\":\"model_1\"}}]\(usage)}")
        }
        defer { server.stop() }
        let judge = try judge(server)
        #expect(try judge.preferences(for: [pair(0), pair(1)]) == [.first, .first])
        #expect(judge.ledger?.uncounted == 2 && judge.ledger?.promptTokens == 0)
    }

    @Test("many failures in a row end the run; answers between them do not let it end")
    func givenUp() throws {
        let server = try LocalServer { number, _, _ in number <= 3 ? chatAnswer("model_1") : .init(status: 502, body: "") }
        defer { server.stop() }
        var options = options()
        options.concurrency = 1
        options.attempts = 1
        options.patience = 4
        let failure = try expectJudgeFailure(judge(server, options: options), questions: 50)
        #expect(failure == .givenUp(endpoint: server.chatAddress, failures: 4, reason: "status 502", answered: 3))
        #expect(server.requests.count == 7)
        let limping = try LocalServer { number, _, _ in number % 3 == 0 ? chatAnswer("model_1") : .init(status: 502, body: "") }
        defer { limping.stop() }
        let unfinished = try expectJudgeFailure(judge(limping, options: options), questions: 30)
        #expect(unfinished.description.contains("did not answer 20 of 30 questions") && limping.requests.count == 30, "\(unfinished)")
    }

    @Test("redirects, keys and addresses end the run at once", arguments: [301, 307, 308, 401, 403, 404, 405])
    func refused(status: Int) throws {
        let server = try LocalServer { _, _, _ in
            .init(status: status, body: secret, header: status < 400 ? ["Location: http://\(secret).example/v1"] : [])
        }
        defer { server.stop() }
        let failure = try expectJudgeFailure(judge(server, concurrency: 1), questions: 9)
        switch failure {
        case .redirected(status, server.chatAddress, _) where status < 400: break
        case .keyRefused(status, server.chatAddress, "A_KEY", true) where [401, 403].contains(status): break
        case .refused(status, server.chatAddress) where status > 403: break
        default: Issue.record("\(failure)")
        }
        #expect(server.requests.count == 1)
    }

    @Test("a key that is missing is named by its variable")
    func keyless() throws {
        let server = try LocalServer { _, header, _ in
            #expect(!header.contains("Authorization"))
            return .init(status: 401, body: "")
        }
        defer { server.stop() }
        let failure = try expectJudgeFailure(judge(server, concurrency: 1, key: nil), questions: 1)
        #expect(failure == .keyRefused(status: 401, endpoint: server.chatAddress, variable: "A_KEY", isSet: false))
    }

    @Test("a judge that answers prose alone is no judge; what it wrote is shown without the key")
    func proseAlone() throws {
        let server = try LocalServer { _, _, _ in chatAnswer("As a model with the key \(secret),\\n I like both") }
        defer { server.stop() }
        let failure = try expectJudgeFailure(judge(server), questions: 4)
        #expect(
            failure.description.contains("no verdict on any of 4 questions (4 unreadable, such as 'As a model with the key (key),"),
            "\(failure)")
    }

    @Test("a key that the service writes back is kept nowhere", arguments: [secret, "SK-SECRET", "sk%2DSECRET"])
    func echoed(text echo: String) throws {
        let folder = try TemporaryFolder()
        let server = try LocalServer { _, _, _ in
            .init(
                status: 200,
                body:
                    #"{"choices":[{"message":{"content":"\#(echo)\nVerdict: A"},"finish_reason":"\#(echo)","logprobs":{"content":[{"token":"A","logprob":-1,"top_logprobs":[{"token":"\#(echo)","logprob":-2}]}]}}]}"#
            )
        }
        defer { server.stop() }
        let opinions = try judge(server, reading: .logProbabilities, cache: JudgeCache(folder["c"])).opinions(for: [pair(0)])
        #expect(opinions[0].preference == .first)
        let shown = (text(of: folder["c"]) + (opinions[0].answer ?? "")).lowercased()
        #expect(!shown.contains("secret") && shown.contains("(key)") || shown.contains("a text with the key"))
    }

    @Test(
        "a key that is part of the verdict changes none, in the cache neither",
        arguments: ["1", "model_1", "o", "_", "e", "(", "[", ",", "model"])
    func shortKeys(key: String) throws {
        let folder = try TemporaryFolder()
        let server = try LocalServer { _, _, body in
            body.contains("post 2 ") ? chatAnswer("I like both") : chatAnswer(body.contains("post 1 ") ? "[model_2, model_1]" : "model_1")
        }
        defer { server.stop() }
        // the question without a verdict is asked again
        for requests in [3, 1] {
            let judge = try judge(server, cache: JudgeCache(folder["c"]), key: key)
            let opinions = try judge.opinions(for: (0..<3).map { pair($0) })
            #expect(opinions.map(\.preference) == [.first, .second, nil] && judge.ledger?.requests == requests)
            #expect(opinions[0].answer != "model_1" || !"model_1".contains(key))
        }
        let tokens = #"{"choices":[{"message":{"content":"A"},"logprobs":{"content":[{"token":"A","logprob":-0.5,"top_logprobs":[]}]}}]}"#
        let weighing = try LocalServer { _, _, _ in .init(status: 200, body: tokens) }
        defer { weighing.stop() }
        for requests in [1, 0] {
            let judge = try judge(weighing, reading: .logProbabilities, cache: JudgeCache(folder["d"]), key: "A")
            #expect(try judge.preferences(for: [pair(0)]) == [.first] && judge.ledger?.requests == requests)
        }
    }

    @Test("nobody there")
    func refusedConnection() throws {
        let server = try LocalServer { _, _, _ in .none }
        server.stop()
        let failure = try expectJudgeFailure(judge(server, attempts: 2), questions: 2)
        let words = "no verdict on any of 2 questions (2 failed; the last: connection refused); check the service"
        #expect(failure.description.contains(words), "\(failure)")
    }

    @Test("an answer that cannot be kept ends the run")
    func fullDisk() throws {
        let folder = try TemporaryFolder()
        let server = try LocalServer { _, _, _ in chatAnswer("model_1") }
        defer { server.stop() }
        let cache = try JudgeCache(folder["no/such/folder/c"])
        #expect(throws: (any Error).self) { try judge(server, cache: cache).opinions(for: [pair(0)]) }
    }
}

// MARK: Helpers

extension LocalServer {
    /// The address of a chat here.
    fileprivate var chatAddress: String { "http://127.0.0.1:\(port)/v1/chat/completions" }
}

/// A right answer.
private func chatAnswer(_ text: String, finish: String = "stop", prompt: Int = 100) -> LocalServer.Answer {
    .init(
        status: 200,
        body: #"{"choices":[{"index":0,"message":{"role":"assistant","content":"\#(text)"},"finish_reason":"\#(finish)"}],"#
            + #""usage":{"prompt_tokens":\#(prompt),"completion_tokens":2}}"#)
}

/// A question about two texts, one of them longer.
private func pair(_ index: Int, longIsFirst: Bool = true) -> PairwiseQuestion {
    PairwiseQuestion(
        input: "post \(index) with some words that are counted", first: longIsFirst ? "[long]" : "[s]",
        second: longIsFirst ? "[s]" : "[long]")
}

private func options() -> ChatJudge.Options {
    var options = ChatJudge.Options()
    options.pause = 0.001
    options.timeout = 20
    options.answerBytes = 1 << 20
    options.prices = (2, 10)
    return options
}

private func judge(
    _ server: LocalServer, reading: JudgeChat.Reading = .answer, concurrency: Int = 4, attempts: Int = 5, cache: JudgeCache? = nil,
    key: String? = secret, seed: Int = 0
) throws -> ChatJudge {
    var options = options()
    options.concurrency = concurrency
    options.attempts = attempts
    return try judge(server, options: options, reading: reading, cache: cache, key: key, seed: seed)
}

private func judge(
    _ server: LocalServer, options: ChatJudge.Options, reading: JudgeChat.Reading = .answer, cache: JudgeCache? = nil,
    key: String? = secret, seed: Int = 0, check: Bool = true
) throws -> ChatJudge {
    var chat = JudgeChat(model: "tiny", labels: reading == .answer ? .names : .letters, reading: reading) { question in
        "Which of these two is the better one? \(question.input): \(question.first) \(question.second)"
    }
    chat.seed = seed
    chat.check.isOn = check
    return ChatJudge(
        address: try ServiceAddress(server.chatAddress), key: try key.map { try ServiceKey($0, variable: "A_KEY") }, variable: "A_KEY",
        chat: chat,
        cache: cache, options: options)
}

/// Asks, expects a failure that does not show the key, and returns it.
private func expectJudgeFailure(
    _ judge: ChatJudge, questions: Int, sourceLocation: SourceLocation = #_sourceLocation
) throws -> ChatJudge.Failure {
    let failure = try #require(
        #expect(throws: ChatJudge.Failure.self, sourceLocation: sourceLocation) {
            try judge.opinions(for: (0..<questions).map { pair($0) })
        },
        sourceLocation: sourceLocation)
    let text = "\(failure) \(failure.description)"
    #expect(!text.lowercased().contains(secret.lowercased()) && !text.contains { $0.isNewline }, "\(text)", sourceLocation: sourceLocation)
    return failure
}
