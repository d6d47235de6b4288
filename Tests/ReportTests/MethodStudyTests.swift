import Data
import Eval
import Foundation
import Report
import Runs
import Study
import Testing
import _TestSupport

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// The comparison of methods from run folders with known numbers.
@Suite struct MethodStudyTests {
    private let study: StudyFolder

    init() throws { study = try StudyFolder() }

    @Test("systems, strengths, costs and changes are those of the manifest and of the tables")
    func systems() throws {
        try study.write()
        for number in [1, 2] { try study.seed(number) }
        let found = try study.table().read(study.folder.url)
        #expect(found.dataset == "toys" && found.seeds == ["1", "2"] && found.missing == nil)
        #expect(found.systems.map(\.name) == ["sft", "bon-4", "a-1", "a-2", "b-1"])
        #expect(found.systems.map(\.strength) == [nil, "N 4", "1", "2", "weak"])
        expectClose([try #require(found.rewardModelAccuracy).gap.mean, try #require(found.supervisedLoss).ood.mean], [0.1, 3])
        // two runs of a minute make A; the base and B name none
        #expect(found.systems.map(\.seconds) == [nil, 60, 120, 120, nil])
        #expect(try #require(found.systems[2].peakMemory) > 1e6 && found.systems[4].peakMemory == nil)
        let (base, strong) = (found.systems[0], found.systems[3])
        #expect(base.changeID.isEmpty)
        // seeds 0.1 and 0.2, prompts 0, 0.5 and 1
        expectClose(try #require(base.id[.reward]).seeds, [0.6, 0.7], relative: 1e-9)
        expectClose(
            [try #require(strong.changeID[.reward]).mean, try #require(strong.changeOOD[.reward]).low, try #require(strong.id[.kl]).mean],
            [2, 1, 4], relative: 1e-9)
        // in minus out: 1 for the base, 1 + s/2 for the others
        expectClose(try found.systems.map { try #require($0.gap[.reward]).mean }, [1, 1.25, 1.5, 2, 2.5], relative: 1e-9)
        // of 4 responses s are the reference itself; all the others are equally far from it
        expectClose(
            try found.systems.map { try #require($0.id[.winRate]).mean }, [0.5, 0.625, 0.625, 0.75, 0.875], relative: 1e-9)
        #expect(strong.changeID[.winRate] == nil)
        // of the best of 4, log 4 − 3/4
        expectClose([try #require(found.systems[1].id[.kl]).mean], [log(4.0) - 0.75], relative: 1e-9)
    }

    @Test("at equal reward KL, diversity and gap are on the line through a method's strengths")
    func equalReward() throws {
        try study.write()
        for number in [1, 2, 3] { try study.seed(number) }
        let found = try study.table { $0.rewardGains = [0.5, 1.25, 2.5] }.read(study.folder.url)
        let levels = found.levels.filter { $0.quantity == .reward }
        #expect(levels.map(\.value) == [0.5, 1.25, 2.5] && levels.allSatisfy { $0.methods.map(\.method) == ["best-of-N", "A", "B"] })
        // A: between the base (0, KL 0) and a-1 (1, KL 1); then between a-1 and a-2 (2, KL 4); then out of reach
        let a = levels.map { $0.methods[1] }
        #expect(a.map(\.between) == [["sft", "a-1"], ["a-1", "a-2"], nil] && a.map(\.greatest) == [2, 2, 2])
        expectClose(try a[0...1].map { try #require($0.id[.kl]).mean }, [0.5, 1.75], relative: 1e-9)
        // out of distribution half of the gain is there, so the gap of the gain is the other half
        expectClose(try a[0...1].map { try #require($0.ood[.reward]).mean }, [0.25, 0.625], relative: 1e-9)
        expectClose(try a[0...1].map { try #require($0.gap[.reward]).mean }, [0.25, 0.625], relative: 1e-9)
        expectClose(try a[0...1].map { try #require($0.id[.reward]).mean }, [0.5, 1.25], relative: 1e-9)
        // every seed and prompt has the same gains here, so nothing is left to chance
        let kl = try #require(a[1].id[.kl])
        expectClose([kl.low, kl.high] + kl.seeds, [1.75, 1.75, 1.75, 1.75, 1.75], relative: 1e-9)
        #expect(a[2].id.isEmpty && a[2].gap.isEmpty)
        // the diversity is a quarter of the way, too
        let ends = try found.systems[2...3].map { try #require($0.id[.perInputEAD]).mean }
        expectClose([try #require(a[1].id[.perInputEAD]).mean], [0.75 * ends[0] + 0.25 * ends[1]], relative: 1e-9)
        let across = try found.systems[2...3].map { try #require($0.id[.acrossInputEAD]).mean }
        expectClose([try #require(a[1].id[.acrossInputEAD]).mean], [0.75 * across[0] + 0.25 * across[1]], relative: 1e-9)
        // best-of-N ends at 0.5, B at 3
        #expect(levels[0].methods[0].between == ["sft", "bon-4"] && levels[1].methods[0].between == nil)
        #expect(levels[2].methods[2].between == ["sft", "b-1"])
        for text in [found.markdown, found.terminalText] { #expect(text.contains("not reached (0.500)") && text.contains("sft – b-1")) }
    }

    /// y is twice x for every seed and prompt, so on the line it has no chance of its own, whatever chance x has. A value without any relation
    /// to x has all of the chance of x, times the slope.
    @Test("intervals have the chance of the place that a level is reached at")
    func intervalsOfThePlace() throws {
        try study.write(
            """
            {"system": "sft", "method": "SFT", "samples": "samples-sft", "base": true}
            {"system": "a-1", "method": "A", "samples": "samples-a-1"}

            """)
        func noise(_ seed: Int, _ prompt: Int) -> Double { Double(seed - 2) * 0.125 + Double(prompt - 1) * 0.0625 }
        for number in [1, 2, 3] {
            try study.samples(number, "samples-sft", 0)
            try study.samples(number, "samples-a-1", 1, noise: noise, numbers: ["kl": 1])
        }
        let level = try #require(try study.table { $0.rewardGains = [0.5] }.read(study.folder.url).levels.first)
        let method = level.methods[0]
        expectClose([method.greatest], [1], relative: 1e-9)
        // KL is 1 at a-1 and 0 at the base: at a gain of 0.5 it is 0.5, less the chance of half the gain
        let cells = (1...3).map { seed in (0..<3).map { 0.5 - 0.5 * noise(seed, $0) } }
        let expected = CrossedMean.interval(of: cells)
        let kl = try #require(method.id[.kl])
        expectClose([kl.mean, kl.low, kl.high], [expected.mean, expected.low, expected.high], relative: 1e-9)
        #expect(expected.low < 0.45)
        // the reward itself is held equal: it has none
        let reward = try #require(method.id[.reward])
        expectClose([reward.mean, reward.low, reward.high], [0.5, 0.5, 0.5], relative: 1e-9)
    }

    @Test("unless given, levels are what all reach and what half of them reach")
    func chosenLevels() throws {
        try study.write()
        try study.seed(1)
        let found = try study.table().read(study.folder.url)
        // the greatest gains are 0.5, 2 and 3, the greatest KL 0.636, 4 and 9
        #expect(found.levels.map(\.quantity) == [.reward, .reward, .kl, .kl])
        expectClose(found.levels.map(\.value), [0.5, 2, 0.63, 4], relative: 1e-9)
        #expect(found.levels[0].methods.allSatisfy { $0.between != nil })
        #expect(found.levels[1].methods.map { $0.between != nil } == [false, true, true])
        expectClose([try #require(found.levels[3].methods[1].id[.reward]).mean], [2], relative: 1e-9)
        #expect(throws: InvalidSetting("--kl-levels takes numbers above 0")) {
            var table = MethodStudyTable()
            table.study.klLevels = [0]
            try table.validate()
        }
    }

    @Test("the KL of a soft choice is that of its probabilities")
    func softChoices() throws {
        try study.write(
            """
            {"system": "sft", "method": "SFT", "samples": "samples-sft", "base": true}
            {"system": "soft", "method": "soft best-of-N", "strength": "T 1", "samples": "soft", "table": "best_of_n"}

            """)
        try study.samples(1, "samples-sft", 0)
        try study.samples(1, "soft", 1, suffix: "_best_of_n", numbers: ["n": 8, "weight": 0.5])
        let found = try study.table().read(study.folder.url)
        expectClose([try #require(found.systems[1].id[.kl]).mean], [log(4.0)], relative: 1e-9)
    }

    @Test("the best of the samples of a trained policy has no known KL from the base")
    func bestOfPolicy() throws {
        try study.write(
            """
            {"system": "sft", "method": "SFT", "samples": "samples-sft", "base": true}
            {"system": "a-best", "method": "A", "strength": "best of 4", "samples": "a-best", "table": "best_of_n"}

            """)
        try study.run(1, "a-1", .preference)
        try study.samples(1, "samples-sft", 0)
        try study.samples(
            1, "a-best", 1, suffix: "_best_of_n", numbers: ["n": 4], options: ["model_name": .string(study.folder["seed-1/a-1"].path)])
        let found = try study.table().read(study.folder.url)
        #expect(found.systems[1].id[.kl] == nil && found.systems[1].ood[.kl] == nil && found.systems[1].id[.reward] != nil)
        #expect(found.missing?.contains { $0.hasPrefix("seed 1: A, best of 4 has no KL (") } == true, "\(found.missing ?? [])")
    }

    @Test("prompts that both systems have are compared; a diversity across inputs only where there are as many")
    func fewerPrompts() throws {
        try study.write(
            """
            {"system": "sft", "method": "SFT", "samples": "samples-sft", "base": true}
            {"system": "a-1", "method": "A", "samples": "samples-a-1"}

            """)
        try study.samples(1, "samples-sft", 0, prompts: 5)
        try study.samples(1, "samples-a-1", 1, prompts: 3)
        let found = try study.table { $0.rewardGains = [0.5] }.read(study.folder.url)
        let system = found.systems[1]
        expectClose([try #require(system.changeID[.reward]).mean], [1], relative: 1e-9)
        #expect(system.id[.acrossInputEAD] != nil && system.changeID[.acrossInputEAD] == nil)
        let method = found.levels[0].methods[0]
        #expect(method.between == ["sft", "a-1"] && method.id[.perInputEAD] != nil && method.id[.acrossInputEAD] == nil)
        expectClose([try #require(method.id[.kl]).mean], [0.5], relative: 1e-9)
    }

    @Test("what is missing is named, and the rest is compared")
    func incomplete() throws {
        #expect(throws: InvalidSetting.self) { try study.table().read(study.folder.url) }
        try study.write()
        #expect(throws: InvalidSetting.self) { try study.table().read(study.folder.url) }
        for number in [1, 2] { try study.seed(number) }
        // seed 2 has not come to a-2, of seed 3 there is nothing but SFT that did not end, and b-1 has another table
        for name in ["seed-2/samples-a-2"] { try FileManager.default.removeItem(at: study.folder[name]) }
        try study.run(3, "samples-sft", .bestOfN, finished: false)
        try FileManager.default.removeItem(at: study.folder["seed-1/samples-b-1/tables/ood_test.jsonl"])
        let found = try study.table().read(study.folder.url)
        #expect(
            found.missing == [
                "seed 3: SFT is unfinished (run samples-sft)", "seeds without SFT are left out entirely",
                "seed 2: A, 2 is missing (run samples-a-2)", "seed 1: B, weak has no table ood_test (run samples-b-1)",
            ])
        #expect(found.seeds == ["1", "2"] && found.systems.map(\.seeds) == [["1", "2"], ["1", "2"], ["1", "2"], ["1"], ["2"]])
        // a line has the seeds that have all of its strengths
        #expect(found.levels[0].methods.map(\.method) == ["best-of-N", "A", "B"])
        #expect(try #require(found.levels[0].methods[1].id[.kl]).seeds.count == 1)
        #expect(found.markdown.contains("## Missing") && found.terminalText.contains("seed 2: A, 2 is missing"))
        // a method without any run is named, and is no row
        try study.write(StudyFolder.manifest + #"{"system": "c", "method": "C", "samples": "samples-c"}"# + "\n")
        let other = try study.table().read(study.folder.url)
        #expect(other.systems.count == 5 && other.missing?.contains("seed 1: C is missing (run samples-c)") == true)
        try FileManager.default.removeItem(at: study.folder["seed-1/rm"])
        let third = try study.table().read(study.folder.url)
        #expect(third.rewardModelAccuracy?.id.seeds.count == 1 && third.supervisedLoss?.id.seeds.count == 2)
        #expect(third.missing?.contains { $0.hasPrefix("seed 1: the run rm is missing") } == true)
    }

    @Test(
        "a manifest that says nothing sound is refused",
        arguments: [
            (#"{"system": "a", "method": "A", "samples": "x"}"#, "no system"),
            (
                #"{"system": "a", "method": "A", "samples": "x", "base": true}"# + "\n"
                    + #"{"system": "a", "method": "B", "samples": "y"}"#, "two systems named a"
            ),
            (#"{"system": "a", "method": "A"}"#, "samples"), ("nothing", "systems.jsonl"),
        ])
    func refused(manifest: String, says: String) throws {
        try study.write(manifest + "\n")
        try study.seed(1)
        let error = #expect(throws: (any Error).self) { try study.table().read(study.folder.url) }
        #expect("\(try #require(error))".contains(says))
    }

    @Test("files, tables and the picture hold every system")
    func files() throws {
        try study.write()
        for number in [1, 2] { try study.seed(number) }
        try study.table().run(ReportListener())
        let written = try JSONDecoder().decode(MethodStudy.self, from: Foundation.Data(contentsOf: study.folder["methods.json"]))
        #expect(try written == study.table().read(study.folder.url))
        let markdown = text(of: study.folder["methods.md"])
        #expect(markdown.hasPrefix("# toys: 4 methods, 2 seeds\n"))
        for part in [
            "| reward model accuracy", "| A         | 2        | id   |", "win rate", "seconds", "## Generalisation gap",
            "## At a reward 0.5 above that of SFT", "## At a KL of 0.63 nats",
        ] {
            #expect(markdown.contains(part), "\(part)")
        }
        #expect(!markdown.contains("## Missing"))
        let svg = text(of: study.folder["methods.svg"])
        // two rows of three panels with a line for each method
        #expect(svg.components(separatedBy: "<polyline ").count == 1 + 6 * 3)
        let parser = XMLParser(data: Foundation.Data(svg.utf8))
        #expect(parser.parse(), "\(parser.parserError as Any)")
        #expect(svg.contains(">A</text>") && svg.contains("reward above SFT") && !svg.contains("nan"))
    }
}
