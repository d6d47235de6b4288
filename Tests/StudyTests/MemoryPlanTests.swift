import Formats
import Foundation
import Models
import Study
import Runs
import Tensor
import Testing
import Train

@Suite struct MemoryPlanTests {
    @Test("amounts as people write them")
    func amounts() {
        for (text, bytes) in [
            ("6G", 6_000_000_000), ("1.5 GB", 1_500_000_000), ("800MiB", 800 << 20), ("4096k", 4_096_000), ("123", 123),
            ("2T", 2_000_000_000_000), (" 7 m ", 7_000_000), ("5GB", 5_000_000_000), ("500 mb", 500_000_000), ("1.5kb", 1500),
            ("2GiB", 2 << 30), ("3MiB", 3 << 20), ("1.5 KiB", 1536), ("1TiB", 1 << 40), ("1TB", 1_000_000_000_000), ("7B", 7),
            ("4000000T", 4_000_000_000_000_000_000), ("99999999T", 1 << 62), ("99999999999999999999GB", 1 << 62),
            (String(repeating: "9", count: 400), 1 << 62),
        ] {
            #expect(ByteCount(text)?.bytes == bytes, "\(text)")
        }
        for text in [
            "", "G", "GB", "6X", "-3G", "-1GB", "0", "0.5", "1e9", "6 G B", "much", "1..5G", "nan", "0x10",
            "5iB",
        ] {
            #expect(ByteCount(text) == nil, "\(text)")
        }
        for (bytes, text) in [
            (1_500_000_000, "1.5 GB"), (3 << 29, "1.6 GB"), (5 << 20, "5 MB"), (50_000, "50 kB"), (999, "999 bytes"), (1, "1 byte"),
        ] { #expect(ByteCount(bytes: bytes).description == text) }
        for (first, second, texts) in [
            (2_400_000, 2_300_000, ("2.4 MB", "2.3 MB")), (2_000_001, 2_000_000, ("2.000001 MB", "2.000000 MB")),
            (6_000_000_000, 5_990_000_000, ("6.00 GB", "5.99 GB")), (1900, 1700, ("1.9 kB", "1.7 kB")),
            (5_000_000, 3_000_000, ("5 MB", "3 MB")), (7, 7, ("7 bytes", "7 bytes")), (999_999, 1_000_000, ("1000 kB", "1 MB")),
        ] {
            let found = ByteCount.compared(first, second)
            #expect(found.first == texts.0 && found.second == texts.1, "\(found)")
        }
        // what is shown can be typed
        #expect(ByteCount(ByteCount(bytes: 6_000_000_000).description)?.bytes == 6_000_000_000)
        #expect(ByteCount(ByteCount(bytes: 800_000_000).description)?.bytes == 800_000_000)
    }

    @Test(
        "the size of weight files and the memory limit are read in the same way",
        arguments: ["2GB", "2GiB", "2G", "7 mb", "99999999999999999999GB"])
    func settingsAgree(text: String) throws {
        var (saving, run) = (SavingSettings(), RunSettings())
        (saving.maxShardSize, run.memoryLimit) = (text, text)
        try saving.validate()
        try run.validate()
        (saving.maxShardSize, run.memoryLimit) = ("2GX", "2GX")
        for validate in [saving.validate, run.validate] {
            let error = #expect(throws: InvalidSetting.self) { try validate() }
            #expect(error?.message.hasSuffix("expected \(ByteCount.expected)") == true, "\(error?.message ?? "")")
        }
    }

    @Test("a memory limit without its unit is an input error that names the unit")
    func limitWithoutUnit() throws {
        var run = RunSettings()
        for (text, words) in [("150", "150 is 150 bytes; write 150MB"), ("1.5k", "1.5k is 2 kB; write 1.5MB")] {
            run.memoryLimit = text
            let error = #expect(throws: InvalidSetting.self) { try run.validate() }
            #expect(error?.message == "--memory-limit \(words) for megabytes", "\(error?.message ?? "")")
        }
        for text in ["1MB", "1000000", "150MB"] {
            run.memoryLimit = text
            try run.validate()
        }
    }

    @Test("the verb agrees with the amount")
    func amountsInSentences() {
        for (available, words) in [(60_000_000, "only 60 MB are available: less"), (1_000_000, "only 1 MB is available: less")] {
            let text = MemoryError(needed: 70_000_000, available: available, settings: "less").description
            #expect(text == "the run needs about 70 MB of memory, but " + words, "\(text)")
        }
    }

    private static var training: TrainingMemory {
        var memory = TrainingMemory()
        (memory.weights, memory.optimizer, memory.gradients) = (400 << 20, 200 << 20, 100 << 20)
        memory.training = PassMemory(small: (100, 20 << 20), large: (300, 40 << 20))
        memory.evaluation = PassMemory(small: (100, 5 << 20), large: (300, 9 << 20))
        (memory.trainingTokens, memory.evaluationTokens) = (2048, 4096)
        return memory
    }

    @Test("a line through two passes, and the peak of its parts")
    func parts() {
        let pass = Self.training.training
        #expect(abs(pass.perToken - Double(20 << 20) / 200) < 1e-9 && abs(pass.fixed - Double(10 << 20)) < 1)
        #expect(abs(pass.bytes(tokens: 300) - Double(40 << 20)) < 1)
        let activations = Int(pass.bytes(tokens: 2048))
        #expect(Self.training.activations == activations && Self.training.peak == (700 << 20) + activations)
        // sampling and learning are not at the same time; what a step keeps is there at both
        var sampling = Self.training
        (sampling.caches, sampling.states) = (500 << 20, 30 << 20)
        #expect(sampling.peak == (1230 << 20))
        sampling.caches = 1 << 20
        #expect(sampling.peak == Self.training.peak + (30 << 20))
        // a large evaluation decides when it is more than training, and it has no gradients
        var evaluating = Self.training
        evaluating.evaluationTokens = 100_000
        #expect(evaluating.activations == Int(evaluating.evaluation.bytes(tokens: 100_000)) - (100 << 20))
        // gradients travel to other ranks during passes with gradients
        var exchanging = Self.training
        exchanging.exchange = 16 << 20
        #expect(exchanging.peak == Self.training.peak + (16 << 20))
        let room = 900 << 20
        #expect(exchanging.trainingTokens(fitting: room) == Self.training.trainingTokens(fitting: room - (16 << 20)))
        // passes of one length give a flat line
        #expect(PassMemory(small: (50, 1000), large: (50, 1000)).bytes(tokens: 9999) == 1000)
    }

    /// The least room for which settings with this expected peak are suggested.
    private static func room(for peak: Int) -> Int { max(peak + 4_000_000, peak / 97 * 100 + 200) }

    @Test("suggested settings leave a margin, because the estimate varies between starts")
    func margin() {
        for room in [0, 1_000_000, 60_000_000, 133_333_333, 900 << 20, 1 << 40] {
            let margin = MemoryPlan.margin(of: room)
            #expect(margin >= 4_000_000 && margin <= max(4_000_000, room * 3 / 100) && room * 3 / 100 - margin < 3, "\(room)")
        }
        for peak in [1_000_000, 60_000_000, 900 << 20] {
            let room = Self.room(for: peak)
            #expect(room - MemoryPlan.margin(of: room) >= peak && room < peak * 104 / 100 + 4_000_000, "\(peak)")
        }
    }

    @Test("what would fit, does")
    func settings() throws {
        let plan = MemoryPlan(program: 100 << 20, training: Self.training, loaded: 0, longest: 256)
        #expect(plan.peak == (100 << 20) + Allocator.bound(peak: Self.training.peak))
        #expect(
            plan.description.hasPrefix(
                "memory: expected peak \(ByteCount(bytes: plan.peak)) (weights 419 MB, optimiser 210 MB"))
        let room = 1000 << 20
        #expect(plan.peak > room)
        let advice = plan.settings(fitting: room, otherwise: "less")
        let tokens = try #require(Int(advice.split(separator: " ").dropFirst().first ?? ""))
        #expect(advice == "--tokens-per-pass \(tokens) would fit" && tokens % 32 == 0 && tokens >= 256)
        var smaller = plan
        (smaller.training.trainingTokens, smaller.training.evaluationTokens) = (tokens, 2 * tokens)
        #expect(smaller.peak <= room - MemoryPlan.margin(of: room))
        smaller.training.trainingTokens = tokens + 64
        #expect(smaller.peak > room - MemoryPlan.margin(of: room))
        // no pass can be shorter than the longest text
        var long = plan
        long.longest = 2000
        #expect(
            long.settings(fitting: room, otherwise: "less")
                == "limit texts to \(Counted(tokens, "token")) (--max-source-length, --max-target-length) "
                + "with --tokens-per-pass \(tokens), or less")
        // no text has 0 tokens
        let least = Self.training.fixed + Int(Self.training.training.fixed)
        #expect(plan.settings(fitting: Self.room(for: plan.program + Allocator.bound(peak: least + 50_000)), otherwise: "less") == "less")
        // and what the weights take cannot be cut at all
        #expect(plan.settings(fitting: 500 << 20, otherwise: "less") == "less")
    }

    @Test("parts that are 0 are left out, and tables are no packed copies")
    func partsThatAreNotZero() {
        var training = TrainingMemory()
        training.weights = 448
        training.add(WeightMemory(), created: 32_768)
        #expect(training.packed == 0 && training.tables == 32_768 && training.fixed == 448 + 32_768)
        training.caches = 3_000_000
        let kept = ByteCount(bytes: Allocator.bound(peak: training.peak) - training.peak)
        let plan = MemoryPlan(program: 9_000_000, training: training, loaded: 0, longest: 256)
        #expect(
            plan.description == "memory: expected peak \(ByteCount(bytes: plan.peak)) (weights 448 bytes, tables 33 kB, caches 3 MB, "
                + "blocks kept for reuse \(kept), program and data 9 MB)", "\(plan.description)")
    }

    @Test("fewer active responses are suggested where the caches take too much, with fewer tokens per pass if need be")
    func activeResponses() {
        var plan = MemoryPlan(program: 100 << 20, training: Self.training, loaded: 0, longest: 256)
        plan.training.caches = 600 << 20
        plan.training.fewerActive = [
            .init(responses: 32, caches: 300 << 20), .init(responses: 16, caches: 100 << 20), .init(responses: 8, caches: 50 << 20),
        ]
        func with(_ caches: Int, tokens: Int) -> MemoryPlan {
            var plan = plan
            (plan.training.caches, plan.training.trainingTokens, plan.training.evaluationTokens) = (caches, tokens, 2 * tokens)
            return plan
        }
        // the largest number that fits
        let all = Self.room(for: with(300 << 20, tokens: 2048).peak)
        #expect(plan.settings(fitting: all, otherwise: "less") == "--max-active-responses 32 would fit")
        // passes of 2048 tokens take more than 100 MB of caches
        let both = with(100 << 20, tokens: 512)
        let advice = plan.settings(fitting: Self.room(for: both.peak), otherwise: "less")
        #expect(advice == "--max-active-responses 16 --tokens-per-pass 896 would fit", "\(advice)")
        #expect(with(100 << 20, tokens: 896).peak <= both.peak + 400)
        // a pass cannot be shorter than the longest text
        plan.longest = 2000
        #expect(!plan.settings(fitting: Self.room(for: both.peak), otherwise: "less").contains("would fit"))
    }

    @Test("where not even the program fits, no other setting is suggested")
    func program() {
        let plan = MemoryPlan(program: 46_000_000, training: Self.training, loaded: 0, longest: 256)
        for room in [3_000_000, 46_000_000, 49_000_000] {
            #expect(
                plan.settings(fitting: room, otherwise: "less")
                    == "the program and its data alone need about 46 MB; raise --memory-limit", "\(room)")
        }
        #expect(plan.settings(fitting: 55_000_000, otherwise: "less") == "less")
        // nor where an earlier part of the run took more than the rest would
        let loaded = MemoryPlan(program: 0, training: Self.training, loaded: 5_000_000_000, longest: 256)
        #expect(
            loaded.settings(fitting: 4_000_000_000, otherwise: "use less")
                == "the work before the first step took 5.0 GB; raise --memory-limit, or use less")
    }

    @Test("weights in files and packed copies are parts of the peak")
    func weightsInFiles() {
        var training = Self.training
        training.mapped = 300 << 20
        let plan = MemoryPlan(program: 100 << 20, training: training, loaded: 0, longest: 256)
        // pages of files are no blocks that the allocator keeps for reuse
        #expect(plan.peak == (400 << 20) + Allocator.bound(peak: Self.training.peak))
        #expect(plan.description.contains("(weights 419 MB, weights in files 315 MB, optimiser 210 MB"))
        training.packed = 50 << 20
        #expect(training.fixed == (750 << 20) && training.peak == Self.training.peak + (50 << 20))
        #expect(
            MemoryPlan(program: 0, training: training, loaded: 0, longest: 256).description
                .contains("weights in files 315 MB, packed weights 52 MB, optimiser"))
        // fewer tokens leave room for them
        let advice = plan.settings(fitting: 1260 << 20, otherwise: "less")
        var smaller = plan
        let tokens = Int(advice.split(separator: " ").dropFirst().first ?? "") ?? 0
        (smaller.training.trainingTokens, smaller.training.evaluationTokens) = (tokens, 2 * tokens)
        #expect(tokens >= 256 && smaller.peak <= 1260 << 20, "\(advice)")
    }

    @Test("other choices, those that change a run least first")
    func choices() {
        func options(_ choices: MemoryChoices) -> [String] { choices.alternatives.map(\.options) }
        #expect(
            options(MemoryChoices()) == [
                "--frozen-dtype bf16", "--frozen-dtype int8", "--dtype bf16", "--frozen-dtype bf16 --dtype bf16",
                "--frozen-dtype int8 --dtype bf16",
            ])
        #expect(options(MemoryChoices(frozen: .int8, precision: .bf16)) == ["--dtype f32"])
        let training = options(MemoryChoices(optimizer: .adamw, frozen: .bf16))
        #expect(training.contains("--optimizer lion --frozen-dtype int8") && !training.contains { $0.contains("--frozen-dtype bf16") })
        let masters = options(MemoryChoices(optimizer: .adafactor, frozen: .int8, master: .f32))
        #expect(masters == ["--dtype bf16", "--master-dtype bf16", "--master-dtype bf16 --dtype bf16"])
        #expect(options(MemoryChoices(optimizer: .adafactor, frozen: .int8, master: .bf16)) == ["--dtype bf16"])
        let updates = MemoryChoices(optimizer: .adafactor, frozen: .int8, master: .bf16, gradients: .f32, appliesInBackward: false)
        #expect(
            options(updates) == [
                "--apply-in-backward true", "--gradient-dtype bf16", "--gradient-dtype bf16 --apply-in-backward true", "--dtype bf16",
                "--dtype bf16 --apply-in-backward true", "--gradient-dtype bf16 --dtype bf16",
                "--gradient-dtype bf16 --dtype bf16 --apply-in-backward true",
            ])
        #expect(updates.alternatives.allSatisfy { !$0.costs.isEmpty })
        let made = MemoryChoices(optimizer: .adafactor, frozen: .int8, master: .bf16, gradients: .bf16, appliesInBackward: true)
        #expect(options(made) == ["--dtype bf16"])
        #expect(!options(MemoryChoices(optimizer: .lion)).contains { $0.contains("--optimizer lion") })
        #expect(Set(training).count == training.count && MemoryChoices().alternatives.allSatisfy { !$0.costs.isEmpty })
        if OptimizerKind(rawValue: "adamw8bit") != nil {
            #expect(training.first == "--optimizer adamw8bit")
            #expect(training.contains("--optimizer adamw8bit --frozen-dtype int8"))
        }
    }

    @Test("narrow gradients, and gradients that are freed in the backward pass, are named with what they cost")
    func gradients() {
        var training = Self.training
        training.trained = Array(repeating: [1024, 1024], count: 8)
        training.gradients = training.gradientBytes(as: .f32, freed: false)
        training.optimizer = training.moments(of: .adafactor)
        (training.training, training.evaluation) = (PassMemory(small: (100, 1 << 20), large: (300, 1 << 20)), .none)
        (training.weights, training.hasOnePass) = (32 << 20, true)
        func plan(_ gradients: GradientFormat, freed: Bool, inBackward: Bool?) -> MemoryPlan {
            var training = training
            (training.gradients, training.freesGradients) = (training.gradientBytes(as: gradients, freed: freed), freed)
            let choices = MemoryChoices(
                optimizer: .adafactor, frozen: .int8, master: .f32, gradients: .f32, appliesInBackward: inBackward)
            return MemoryPlan(program: 0, training: training, loaded: 0, longest: 256, choices: choices)
        }
        let (freed, narrow) = (plan(.f32, freed: true, inBackward: true).peak, plan(.bf16, freed: false, inBackward: nil).peak)
        #expect(freed < narrow && narrow < plan(.f32, freed: false, inBackward: nil).peak)
        let backward = plan(.f32, freed: false, inBackward: false).settings(fitting: Self.room(for: freed), otherwise: "less")
        #expect(backward.hasPrefix("--apply-in-backward true would fit (the results stay the same"), "\(backward)")
        let bf16 = plan(.f32, freed: false, inBackward: nil).settings(fitting: Self.room(for: narrow), otherwise: "less")
        #expect(bf16.hasPrefix("--gradient-dtype bf16 would fit (gradients are kept in bfloat16"), "\(bf16)")
        // several ranks add gradients of either format in floats
        training.exchange = 1 << 20
        var shared = plan(.f32, freed: false, inBackward: nil)
        shared.training.owned = training.trained
        let room = Self.room(for: plan(.bf16, freed: false, inBackward: nil).peak)
        #expect(!shared.settings(fitting: room, otherwise: "less").hasPrefix("--gradient-dtype bf16 would fit"))
        training.exchange = 0
        // several passes of a step add to gradients that are kept
        var several = plan(.f32, freed: false, inBackward: false)
        several.training.hasOnePass = false
        #expect(!several.settings(fitting: Self.room(for: freed), otherwise: "less").hasPrefix("--apply-in-backward"))
    }

    @Test("updates in the backward pass are suggested exactly where the settings accept them")
    func backward() {
        let changes: [(inout TrainingSettings) -> Void] = [
            { $0.maxGradNorm = 0 }, { $0.maxGradNorm = 1 }, { ($0.maxGradNorm, $0.gradientAccumulationSteps) = (0, 2) },
            { ($0.maxGradNorm, $0.skipBadBatches) = (0, 3) },
        ]
        var found: [Bool] = []
        for change in changes {
            var settings = TrainingSettings()
            change(&settings)
            found.append(settings.mayApplyInBackward)
            settings.applyInBackward = true
            #expect(((try? settings.validate()) != nil) == found.last)
        }
        #expect(found == [true, false, false, false])
        var policy = PolicySettings()
        for (norm, steps, allowed) in [(nil, 1, true), (1.0, 1, false), (nil, 2, false)] as [(Double?, Int, Bool)] {
            (policy.gradNormClipping, policy.gradientAccumulationSteps, policy.applyInBackward) = (norm, steps, true)
            #expect(policy.mayApplyInBackward == allowed && ((try? policy.validate()) != nil) == allowed)
        }
    }

    @Test("settings that are named fit, and say what they cost")
    func advice() throws {
        let settings = LlamaConfiguration(
            vocabularySize: 2048, hiddenSize: 256, intermediateSize: 512, layerCount: 8, heads: 4, contextLength: 64)
        let model = try Llama(settings, weights: RandomWeights(generator: Philox(seed: 1)))
        Freezing(fraction: 0.5).apply(to: model)
        let weights = WeightMemory(of: [model])
        var training = Self.training
        training.trained = model.parameters.filter(\.isTrainable).map(\.value.shape)
        training.optimizer = training.moments(of: .adamw)
        training.gradients = training.trained.reduce(0) { $0 + Allocator.capacity(for: 4 * $1.count) }
        training.weights = weights.bytes(.f32, .f32).allocated
        // passes that are small beside the weights
        (training.training, training.evaluation) = (PassMemory(small: (100, 1 << 20), large: (300, 1 << 20)), .none)
        let choices = MemoryChoices(optimizer: .adamw)
        let plan = MemoryPlan(program: 0, training: training, loaded: 0, longest: 256, weights: weights, choices: choices)
        func with(_ format: FrozenFormat, _ kind: OptimizerKind) -> MemoryPlan {
            var plan = plan
            plan.training.weights += weights.frozen(format, .f32) - weights.frozen(.f32, .f32)
            plan.training.optimizer = training.moments(of: kind)
            return plan
        }
        // every room between two plans is answered with settings that fit
        let wanted = [(with(.bf16, .adamw), "--frozen-dtype bf16 would fit"), (with(.int8, .adamw), "--frozen-dtype int8 would fit")]
        for (fitting, words) in wanted where OptimizerKind(rawValue: "adamw8bit") == nil {
            #expect(plan.settings(fitting: Self.room(for: fitting.peak), otherwise: "less").hasPrefix(words))
        }
        let last = with(.int8, OptimizerKind(rawValue: "adamw8bit") ?? .lion)
        #expect(last.peak < with(.int8, .adamw).peak)
        let advice = plan.settings(fitting: Self.room(for: last.peak), otherwise: "less")
        #expect(
            advice.hasPrefix("--optimizer ") && advice.contains("--frozen-dtype int8 would fit (") && advice.hasSuffix(")"), "\(advice)")
        #expect(advice.contains("rounded to 8-bit integers"), "\(advice)")
        // less than all of them need: what is left to the program, and the least that other settings would need
        let none = plan.settings(fitting: last.peak / 4, otherwise: "less")
        #expect(none.hasPrefix("less; --optimizer ") && none.contains(" would need "), "\(none)")
    }

    @Test("the greatest peak within some bytes is the inverse of the bound")
    func bound() {
        for bytes in [0, 1, 15, 16, 17, 33, 34, 1000, 12_345_678, 99 << 20, 600 << 20, 7 << 30] {
            let most = Allocator.mostInUse(within: bytes)
            #expect(Allocator.bound(peak: most) <= bytes && Allocator.bound(peak: most + 2) > bytes, "\(bytes)")
        }
    }

    @Test("what has been in memory while loading is the least that is expected")
    func loading() {
        #expect(MemoryPlan(program: 0, training: Self.training, loaded: 5 << 30, longest: 1).peak == 5 << 30)
    }
}
