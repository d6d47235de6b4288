import Eval
import Foundation
import Testing

/// Rewards that are computed asynchronously, asked for by code that waits.
@Suite struct AsyncRewardTests {
    private struct Refused: Error, Equatable {}

    /// How many calls are under way, and were at most.
    private actor Traffic {
        private(set) var most = 0
        private(set) var sizes: [Int] = []
        private var now = 0

        func enter(_ size: Int = 1) {
            now += 1
            most = max(most, now)
            sizes.append(size)
        }
        func leave() { now -= 1 }
    }

    private static func requests(_ count: Int) -> [RewardRequest] {
        (0..<count).map { RewardRequest(query: "q", response: "\($0)", reference: "r") }
    }

    @Test("rewards have the order of requests whatever the order in which they come, and no more are under way than allowed")
    func order() async throws {
        let traffic = Traffic()
        let reward = AsyncReward.each(concurrency: 3) { query, response, reference in
            #expect(query == "q" && reference == "r")
            let number = try #require(Int(response))
            await traffic.enter()
            // of three that are under way the first takes longest
            try await Task.sleep(for: .milliseconds(9 - 3 * (number % 3)))
            await traffic.leave()
            return Double(number)
        }
        #expect(try reward.rewards(for: Self.requests(20)) == (0..<20).map(Double.init))
        #expect(await traffic.most == 3)
        #expect(try reward.rewards(for: []) == [])
    }

    @Test("within a batch the order is that of the requests, too", arguments: [1, 3])
    func orderWithinBatches(concurrency: Int) throws {
        let reward = AsyncReward(batchSize: 4, concurrency: concurrency) { requests in
            await Task.yield()
            return requests.map { Double($0.response) ?? -1 }
        }
        #expect(try reward.rewards(for: Self.requests(10)) == (0..<10).map(Double.init))
    }

    @Test("requests come in batches of the size asked for, or all at once")
    func batches() async throws {
        for (size, expected) in [(4, [4, 4, 2]), (nil, [10]), (100, [10])] as [(Int?, [Int])] {
            let traffic = Traffic()
            let reward = AsyncReward(batchSize: size, concurrency: 1) { requests in
                await traffic.enter(requests.count)
                await traffic.leave()
                return requests.map { Double($0.response.count) }
            }
            #expect(try reward.rewards(for: Self.requests(10)) == Array(repeating: 1, count: 10))
            #expect(await traffic.sizes == expected)
        }
    }

    @Test("an error passes through, and ends the calls that are under way")
    func errors() throws {
        let reward = AsyncReward.each { _, response, _ in
            if response == "3" { throw Refused() }
            try await Task.sleep(for: .seconds(600))
            return 0
        }
        let started = ContinuousClock.now
        #expect(throws: Refused.self) { try reward.rewards(for: Self.requests(8)) }
        #expect(started.duration(to: .now) < .seconds(500))

        let short = AsyncReward(batchSize: 4) { Array(repeating: 0, count: $0.count - 1) }
        #expect(throws: RewardError.wrongCount(3, expected: 4)) { try short.rewards(for: Self.requests(8)) }
    }

    /// Cancelled by a thread of its own: the loop may hold the only thread of the pool.
    @Test("a training loop whose task is cancelled cancels the calls that it waits for")
    func cancellation() async throws {
        let begun = DispatchSemaphore(value: 0)
        let loop = Task {
            try AsyncReward.each { _, _, _ in
                begun.signal()
                try await Task.sleep(for: .seconds(600))
                return 0
            }.rewards(for: Self.requests(2))
        }
        Thread.detachNewThread {
            begun.wait()
            loop.cancel()
        }
        await #expect(throws: CancellationError.self) { try await loop.value }
    }

    /// Far more loops than the pool has threads, all waiting at once: with a semaphore none would ever go on.
    @Test("loops that fill the whole pool do not starve the work that they wait for")
    func pool() async throws {
        let traffic = Traffic()
        let loops = 4 * ProcessInfo.processInfo.activeProcessorCount
        let sums = try await withThrowingTaskGroup(of: Double.self) { group in
            for _ in 0..<loops {
                group.addTask {
                    let reward = AsyncReward.each { _, response, _ in
                        await traffic.enter()
                        await Task.yield()
                        try await Task.sleep(for: .milliseconds(5))
                        await traffic.leave()
                        return Double(response) ?? .nan
                    }
                    return try reward.rewards(for: Self.requests(5)).reduce(0, +)
                }
            }
            var sums: [Double] = []
            for try await sum in group { sums.append(sum) }
            return sums
        }
        #expect(sums == Array(repeating: 10, count: loops))
    }

    @Test("asynchronous rewards wait inside each other, on a thread of one's own, and as parts of a sum")
    func nesting() async throws {
        let inner = AsyncReward { requests in
            await Task.yield()
            return requests.map { Double($0.response.count) }
        }
        let outer = AsyncReward.each { query, response, _ in
            await Task.yield()
            let request = RewardRequest(query: query, response: response)
            return try AsyncReward.each { _, response, _ in
                await Task.yield()
                return Double(response.count)
            }.rewards(for: [request])[0]
        }
        let sum = WeightedReward([(1, inner), (2, outer)])
        #expect(try sum.rewards(for: Self.requests(3)) == [3, 3, 3])
        let fromThread = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let reward = AsyncReward.each { _, response, _ in
                    try await Task.sleep(for: .milliseconds(1))
                    return Double(response) ?? .nan
                }
                continuation.resume(returning: try? reward.rewards(for: Self.requests(3)))
            }
        }
        #expect(fromThread == [0, 1, 2])
    }
}
