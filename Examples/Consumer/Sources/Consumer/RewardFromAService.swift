import Eval

/// A slow service.
private actor Judge {
    private(set) var questions = 0

    func score(_ response: String) async throws -> Double {
        questions += 1
        try await Task.sleep(for: .milliseconds(5))
        return response.contains("please") ? 1 : 0
    }
}

/// A reward that awaits a service, with up to four concurrent requests; PPO and best-of-N use it like any other reward.
func useRewardFromAService() throws {
    let judge = Judge()
    let polite = AsyncReward.each(concurrency: 4) { _, response, _ in try await judge.score(response) }
    let brief = ClosureReward.each { _, response, _ in response.count < 20 ? 1 : 0 }
    let reward = WeightedReward([(1, polite), (0.5, brief)])

    let requests = ["close the door, would you please", "close it", "please"].map { RewardRequest(query: "say it", response: $0) }
    let rewards = try reward.rewards(for: requests)
    precondition(rewards == [1, 0.5, 1.5])
}
