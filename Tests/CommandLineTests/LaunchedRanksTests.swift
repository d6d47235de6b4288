import CommandLine
import Formats
import Foundation
import Report
import Runs
import Study
import Testing
import Train
import _TestSupport

/// How a program ends that runs as several processes: one line, from rank 0, and one exit status.
@Suite struct LaunchedRanksTests {
    /// Runs the body of a program on ranks that are threads.
    private func run(_ ranks: Int, _ body: @escaping @Sendable (any Collective) throws -> Void) throws -> [(shown: String, status: Int32)] {
        try ThreadCollective.run(ranks) { group in
            var shown = ""
            let status = LaunchedRanks.run("train-sft", among: group, show: { shown += $0 }) {
                try body(StageEnvironment.commandLine().collective)
            }
            return (shown, status)
        }
    }

    @Test("ranks that succeed print nothing; each gets the whole group and the number of ranks on its machine")
    func success() throws {
        let ends = try run(3) { group in
            let sums = try group.sum([1])
            #expect(sums == [3])
            #expect(StageEnvironment.commandLine().ranksOnMachine == 3)
        }
        #expect(ends.allSatisfy { $0.shown == "" && $0.status == 0 })
    }

    @Test("an error of one rank ends all with its status, and rank 0 names the rank", arguments: [1, 2])
    func oneRank(broken: Int) throws {
        let ends = try run(3) { group in
            if group.rank == broken { throw FileError.missing(path: "data/train.jsonl") }
            try group.barrier()
        }
        #expect(ends.allSatisfy { $0.status == ProgramExit.missingInput.rawValue })
        #expect(ends[0].shown.hasPrefix("train-sft: error: rank \(broken): ") && ends[0].shown.contains("data/train.jsonl"))
        #expect(ends[0].shown.hasSuffix("\n") && ends[1].shown.isEmpty && ends[2].shown.isEmpty)
    }

    @Test("an error of all ranks, and one of rank 0, look like those of one process")
    func sameError() throws {
        let all = try run(2) { _ in throw InvalidSetting("--x must be above 0") }
        #expect(all[0].shown == "train-sft: error: --x must be above 0\n" && all[1].shown.isEmpty)
        let first = try run(2) { group in
            _ = try group.broadcast { () throws -> Int in throw InvalidSetting("--x must be above 0") }
        }
        #expect(first[0].shown == "train-sft: error: --x must be above 0\n" && first[1].shown.isEmpty)
        #expect((all + first).allSatisfy { $0.status == ProgramExit.usage.rawValue })
    }

    @Test("SIGTERM after the ranks have agreed on an error changes neither the status nor the line")
    func terminatedAfterAnError() async {
        let result = await #expect(processExitsWith: .exitCode(64), observing: [\.standardErrorContent]) {
            Signals.install()
            var none = sigset_t()
            sigemptyset(&none)
            pthread_sigmask(SIG_SETMASK, &none, nil)
            let statuses = try ThreadCollective.run(2) { group in
                // shown by rank 0, when all ranks know the end
                LaunchedRanks.run("train-sft", among: group, show: { _ in kill(getpid(), SIGTERM) }) {
                    if group.rank == 1 { throw InvalidSetting("--x must be above 0") }
                    try StageEnvironment.commandLine().collective.barrier()
                }
            }
            usleep(100_000)
            exit(statuses[0])
        }
        let errors = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(!errors.contains("stopped by a signal"), "\(errors)")
    }

    @Test("a stop is no error")
    func stop() throws {
        let ends = try run(2) { _ in throw RunStopped(step: 3, path: "runs/sft") }
        #expect(ends.allSatisfy { $0.status == ProgramExit.tryAgain.rawValue })
        #expect(ends[0].shown.hasPrefix("train-sft: ") && !ends[0].shown.contains("error") && ends[1].shown.isEmpty)
    }

    @Test("the programs that several processes can run")
    func programs() {
        #expect(SFTStage.usesRanks && RewardModelStage.usesRanks && PreferenceStage.usesRanks)
        #expect(PPOStage.usesRanks && BestOfNStage.usesRanks && DiversityStage.usesRanks)
        #expect(RowScoring.usesRanks && !PostIndex.usesRanks && !HTMLReport.usesRanks)
        #expect(ProgramExit.usage == Program.status(of: CollectiveError.rankDiffers(rank: 1, what: "a")))
        #expect(ProgramExit.missingInput == Program.status(of: RunFolderError.notShared(path: "a", ranks: [1])))
        #expect(ProgramExit.inputOutput == Program.status(of: CollectiveError.broken(rank: 1, message: "a")))
    }
}
