import Diversity
import Study
import Testing
import Train
import _TestSupport

/// Rewards for answers that differ from others.
@Suite struct DiversityRewardTests {
    /// Finds that texts with the same first letter mean the same, and that b entails c.
    private struct Letters: EntailmentModel {
        let name = "letters"
        func probabilities(of pairs: [EntailmentPair]) throws -> [EntailmentProbabilities] {
            pairs.map { pair in
                let (a, b) = (pair.premise.first, pair.hypothesis.first)
                let entails = a == b || (a == "b" && b == "c")
                return EntailmentProbabilities(contradiction: 0.2, neutral: entails ? 0.1 : 0.5, entailment: entails ? 0.7 : 0.3)
            }
        }
    }

    @Test("answers mean the same where each entails the other")
    func entailment() throws {
        let measure = AnswerDiversity.entailment(Letters())
        #expect(try measure.values(["a1", "a2", "b", "c", "a1"]) == [0.5, 0.5, 1, 1, 0.5])
        #expect(try measure.values(["a"]) == [0])
    }

    @Test("scores times and plus how much an answer differs")
    func ways() throws {
        let measure = AnswerDiversity.entailment(Letters())
        let texts = ["a1", "a2", "b"]
        let times = DiversityRewardSettings.reward(measure, multiplies: true, weight: 9)
        #expect(try times.value([2, 4, 3], texts) == [1, 2, 3])
        let plus = DiversityRewardSettings.reward(measure, multiplies: false, weight: 2)
        #expect(try plus.value([2, 4, -3], texts) == [3, 5, -1])
    }

    @Test("words and models that do not fit are refused")
    func validation() throws {
        func settings(_ change: (inout DiversityRewardSettings) -> Void) -> DiversityRewardSettings {
            var settings = DiversityRewardSettings()
            change(&settings)
            return settings
        }
        try settings { $0.diversityReward = "multiply" }.validate()
        try settings { ($0.diversityReward, $0.diversityMeasure, $0.diversityModel) = ("add", "embeddings", "folder") }.validate()
        for bad in [
            settings { $0.diversityReward = "times" }, settings { ($0.diversityReward, $0.diversityMeasure) = ("add", "entailment") },
            settings { $0.diversityMeasure = "embeddings" }, settings { $0.diversityRewardWeight = 2 },
            settings { ($0.diversityReward, $0.diversityModel) = ("add", "folder") },
        ] {
            #expect(throws: InvalidSetting.self) { try bad.validate() }
        }
    }
}
