import Data
import Eval
import Testing

/// Whether answers are right.
@Suite struct CheckRewardTests {
    @Test("the answer to a generated instruction is checked by what it asks for, any other by its reference")
    func rewards() throws {
        let prompt = "### Instruction:\nName two animals.\n\n### Response:"
        let requests = [
            RewardRequest(query: prompt, response: " fox, cat", reference: "bear, cow"),
            RewardRequest(query: prompt, response: " fox, plum", reference: "fox, plum"),
            RewardRequest(query: prompt, response: "wolf, goat"), RewardRequest(query: "2 + 2 =", response: " FOUR. ", reference: "four"),
            RewardRequest(query: "2 + 2 =", response: "four five", reference: "four"),
            RewardRequest(query: "2 + 2 =", response: "", reference: ""), RewardRequest(query: "2 + 2 =", response: ".", reference: "four"),
        ]
        #expect(try CheckReward().rewards(for: requests) == [1, 0.25, 1, 1, 0, 1, 0])
        #expect(throws: RewardError.noReference(prompts: 1, of: 1, first: "2 + 2 =")) {
            try CheckReward().rewards(for: [RewardRequest(query: "2 + 2 =", response: "four")])
        }
    }
}
