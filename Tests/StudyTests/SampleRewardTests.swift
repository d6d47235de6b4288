import Foundation
import Runs
import Study
import Testing
import _TestSupport

/// Rewards of two runs are on one scale only where the same function, or the same model, has made them.
@Suite struct SampleRewardTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func run(_ name: String, _ options: [String: OptionValue]) throws -> SampleReward? {
        try RunConfiguration(stage: .bestOfN, program: "test", options: options).write(
            inRun: {
                try FileManager.default.createDirectory(at: folder[name], withIntermediateDirectories: true)
                return folder[name]
            }())
        return try SampleReward(ofSamples: folder[name])
    }

    private func model(_ name: String, _ text: String) throws -> OptionValue {
        let run = try RunFolder(at: folder[name], configuration: RunConfiguration(stage: .rewardModel, program: "test", options: [:]))
        try run.writeResult { try Data(text.utf8).write(to: $0.appendingPathComponent("model")) }
        return .string(folder[name].path)
    }

    @Test("other functions and other models differ; a copy of a model does not")
    func scales() throws {
        let (one, two, copy) = (try model("one", "a"), try model("two", "b"), try model("copy", "a"))
        let base = try #require(try run("a", ["reward_function": .string("summarisation"), "rf_model_dir": one]))
        func differs(_ options: [String: OptionValue]) throws -> Bool { try #require(try run("b", options)).differs(from: base) }
        #expect(try !differs(["reward_function": .string("summarisation"), "rf_model_dir": one]))
        #expect(try !differs(["reward_function": .string("summarisation"), "rf_model_dir": copy]))
        #expect(try differs(["reward_function": .string("summarisation"), "rf_model_dir": two]))
        #expect(try differs(["reward_function": .string("length")]))
        // a model that is gone is not known to be another one
        #expect(try !differs(["reward_function": .string("summarisation"), "rf_model_dir": .string("gone")]))
        #expect(try run("c", [:]) == nil)
    }

    @Test("what was chosen among stored samples has the reward of the run that drew them")
    func stored() throws {
        _ = try run("drawn", ["reward_function": .string("length")])
        let chosen = try #require(try run("chosen", ["samples_from": .string("drawn"), "reward_function": .string("rouge")]))
        #expect(chosen.description == "length")
    }
}
