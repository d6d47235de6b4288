import Runs
import Testing

@Suite struct ProgressTests {
    private func progress(steps: Int = 185, of total: Int = 500) -> StageProgress {
        var progress = StageProgress(stage: "sft", totalSteps: total, time: 100)
        for step in 1...steps {
            progress.update(
                step: step, totalSteps: total, tokens: 600 * step, figure: .init("loss", 4.75812), time: 100 + 0.4 * Double(step))
        }
        return progress
    }

    @Test func measuresRates() throws {
        let progress = progress()
        let (steps, tokens) = (try #require(progress.stepsPerSecond), try #require(progress.tokensPerSecond))
        #expect(abs(steps - 2.5) < 1e-9)
        #expect(abs(tokens - 1500) < 1e-6)
        #expect(abs(try #require(progress.remaining) - 126) < 1e-6)
        #expect(progress.fraction == 0.37)
    }

    @Test func ratesAreThoseOfTheLastMinute() throws {
        var progress = progress(steps: 100)
        for step in 101...300 {
            progress.update(
                step: step, totalSteps: 500, tokens: 600 * step, figure: nil, time: 140 + 4 * Double(step - 100))
        }
        #expect(abs(try #require(progress.stepsPerSecond) - 0.25) < 1e-9)
        #expect(abs(try #require(progress.overallTokensPerSecond) - 600 * 300 / 840) < 1e-6)
    }

    @Test func whatWasDoneBeforeAResumeDoesNotCount() throws {
        var progress = StageProgress(stage: "ppo", totalSteps: 500, step: 400, tokens: 400_000, time: 0)
        #expect(progress.step == 400 && progress.stepsPerSecond == nil && progress.remaining == nil)
        #expect(ProgressLine.summary(progress, seconds: 3) == "ppo: 3s")
        progress.update(step: 401, totalSteps: 500, tokens: 401_000, figure: nil, time: 2)
        #expect(progress.stepsPerSecond == 0.5 && progress.tokensPerSecond == 500 && progress.remaining == 198)
        progress.update(step: 500, totalSteps: 500, tokens: 501_000, figure: nil, time: 50)
        #expect(progress.overallTokensPerSecond == 2020)
        #expect(ProgressLine.summary(progress, seconds: 50) == "ppo: 100 of 500 steps in 50s, 101,000 tokens, 2,020 tokens/s")
    }

    @Test("the remaining time is left out until two seconds have passed or 3 % of the steps are done")
    func noEarlyEstimate() {
        var progress = StageProgress(stage: "texts", totalSteps: 1500, unit: "response", time: 0)
        progress.update(step: 1, totalSteps: 1500, tokens: 0, figure: nil, time: 0.31)
        #expect(progress.remaining == nil)
        #expect(ProgressLine.plain(progress) == "texts: response 1/1,500 (0 %), 3.23 responses/s")
        var quick = progress
        quick.update(step: 45, totalSteps: 1500, tokens: 0, figure: nil, time: 1)
        #expect(quick.remaining != nil)
        progress.update(step: 2, totalSteps: 1500, tokens: 0, figure: nil, time: 2)
        #expect(progress.remaining == 1498)
    }

    @Test func aClockThatStandsStillGivesNoRate() {
        var progress = StageProgress(stage: "sft", totalSteps: 0, time: 5)
        progress.update(step: 1, totalSteps: 0, tokens: 10, figure: nil, time: 5)
        #expect(progress.stepsPerSecond == nil && progress.fraction == 0)
        #expect(ProgressLine.bar(progress, width: 40, unicode: false) == "sft   0% [.......................]  1/0")
    }

    // MARK: Lines

    @Test(arguments: [
        (
            110,
            "sft  37% [##############........................]  185/500  1,500 tok/s  2.50 steps/s  2:06 left  loss 4.758"
        ),
        (80, "sft  37% [###......]  185/500  1,500 tok/s  2.50 steps/s  2:06 left  loss 4.758"),
        (70, "sft  37% [####.........]  185/500  1,500 tok/s  2:06 left  loss 4.758"),
        (60, "sft  37% [#####...........]  185/500  2:06 left  loss 4.758"),
        (45, "sft  37%  185/500  2:06 left  loss 4.758"),
        (35, "sft  37%  2:06 left  loss 4.758"),
        (20, "sft  37%  2:06 left"),
        (10, "sft  37% "),
        (1, ""),
    ])
    func fitsTheWidth(width: Int, line: String) {
        let drawn = ProgressLine.bar(progress(), width: width, unicode: false)
        #expect(drawn == line)
        #expect(drawn.count < width)
    }

    @Test func everyWidthAndShareFits() {
        for step in [1, 3, 250, 499, 500] {
            for width in 1...200 {
                for unicode in [false, true] {
                    #expect(ProgressLine.bar(progress(steps: step), width: width, unicode: unicode).count < width)
                }
            }
        }
    }

    @Test func unicodeBarsHaveEighths() {
        let line = ProgressLine.bar(progress(steps: 129), width: 60, unicode: true)
        #expect(line == "sft  25% ████▋░░░░░░░░░░░░░  129/500  2:28 left  loss 4.758")
        #expect(ProgressLine.bar(progress(steps: 500), width: 60, unicode: true).hasPrefix("sft 100% ███████████"))
        #expect(ProgressLine.bar(progress(steps: 499), width: 60, unicode: true).hasPrefix("sft  99% "))
    }

    @Test func plainLinesSayItInWords() {
        #expect(
            ProgressLine.plain(progress())
                == "sft: step 185/500 (37 %), 1,500 tokens/s, 2.50 steps/s, 2:06 left, loss 4.758")
        #expect(
            ProgressLine.summary(progress(steps: 500), seconds: 200)
                == "sft: 500 steps in 3:20, 300,000 tokens, 1,500 tokens/s, loss of the last step 4.758")
        // tokens per second are those of the steps' time, also if loading and evaluations took as long again
        #expect(
            ProgressLine.summary(progress(steps: 500), seconds: 400)
                == "sft: 500 steps in 3:20, 300,000 tokens, 1,500 tokens/s, loss of the last step 4.758; 6:40 in total")
    }

    @Test("what is counted is named, in the number that fits")
    func units() {
        var progress = StageProgress(stage: "best of 16", totalSteps: 25_920, unit: "response", time: 0)
        progress.update(step: 512, totalSteps: 25_920, tokens: 20_480, figure: nil, time: 10)
        #expect(
            ProgressLine.plain(progress)
                == "best of 16: response 512/25,920 (1 %), 2,048 tokens/s, 51.2 responses/s, 8:16 left")
        #expect(ProgressLine.bar(progress, width: 110, unicode: false).contains("  512/25,920  2,048 tok/s  51.2 responses/s  8:16 left"))
        #expect(ProgressLine.summary(progress, seconds: 10) == "best of 16: 512 responses in 10s, 20,480 tokens, 2,048 tokens/s")
        var single = StageProgress(stage: "grpo", totalSteps: 1, time: 0)
        single.update(step: 1, totalSteps: 1, tokens: 1, figure: nil, time: 20)
        #expect(ProgressLine.plain(single) == "grpo: step 1/1 (100 %), 0.05 tokens/s, 20.0 s/step, 0s left")
        #expect(ProgressLine.summary(single, seconds: 20) == "grpo: 1 step in 20s, 1 token, 0.05 tokens/s")
    }

    @Test("the number is called what it is")
    func score() {
        var progress = StageProgress(stage: "ppo", totalSteps: 10, time: 0)
        progress.update(step: 1, totalSteps: 10, tokens: 0, figure: .init("score", -0.307), time: 2)
        #expect(ProgressLine.plain(progress).hasSuffix("left, score -0.307"))
        #expect(ProgressLine.bar(progress, width: 110, unicode: false).hasSuffix("left  score -0.307"))
        #expect(ProgressLine.summary(progress, seconds: 2).hasSuffix("score of the last step -0.307"))
    }

    @Test func slowStepsAreTimedTheOtherWay() {
        var progress = StageProgress(stage: "ppo", totalSteps: 10, time: 0)
        progress.update(step: 1, totalSteps: 10, tokens: 0, figure: nil, time: 12.5)
        #expect(ProgressLine.plain(progress) == "ppo: step 1/10 (10 %), 12.5 s/step, 1:53 left")
    }

    @Test func quantities() {
        #expect(
            [0.04, 9.99, 23.14, 99.94, 1459.6, 1e7].map(Quantity.rate) == [
                "0.04", "9.99", "23.1", "99.9", "1,460", "10,000,000",
            ])
        #expect(
            [0, 44.6, 59.6, 61, 3599, 3723, .infinity].map(Quantity.duration) == [
                "0s", "45s", "1:00", "1:01", "59:59", "1:02:03", "–",
            ])
        #expect(
            [4.75812, 0, -0.01234, 12.345, 123.45, 2345.6, 1.2e-5, 3e7, .nan].map(Quantity.loss) == [
                "4.758", "0.000", "-0.01234", "12.35", "123.5", "2346", "1.2e-05", "3.0e+07", "NaN",
            ])
    }
}
