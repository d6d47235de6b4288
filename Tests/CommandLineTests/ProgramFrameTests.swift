import Data
import Diversity
import Eval
import Formats
import Foundation
import Models
import CommandLine
import Report
import Runs
import Study
import Services
import Testing
import Train

@Suite struct ProgramFrameTests {
    @Test func errorsAreOneLineAndAStatus() {
        struct Odd: Error, CustomStringConvertible { var description: String { "first\n  second\n" } }
        let cases: [(any Error, ProgramExit)] = [
            (CommandLineError.missingValue("--x"), .usage),
            (FileError.missing(path: "a"), .missingInput),
            (FileError.unreadable(path: "a", SystemError(code: EACCES)), .missingInput),
            (FileError.cannotCreate(path: "a", SystemError(code: EACCES)), .cannotCreate),
            (FileError.cannotWrite(path: "a", SystemError(code: ENOSPC)), .inputOutput),
            (FileError.damaged(path: "a", problem: "b"), .badData),
            (RunFolderError.inUse(path: "a", owner: nil), .tryAgain),
            (RunFolderError.wrongStage(path: "a", found: .policy, expected: [.supervised]), .usage),
            (FormatError.unreadable(path: "a", reason: "b"), .missingInput),
            (DataError.emptySplit("a", reason: "b"), .badData),
            (DataError.unknownSplit("a", available: []), .usage),
            (TokenizerError.noTokenizer(folder: "a"), .missingInput),
            (CheckpointError.noWeights(folder: "a"), .missingInput),
            (CheckpointError.wrongShape(name: "a", got: [1], expected: [2]), .badData),
            (ModelError.unsupported("a"), .badData),
            (TrainingError.invalidSetting(name: "a", value: "b", rule: "c"), .usage),
            (TrainingError.notFinite(what: "a", step: 1, examples: []), .badData),
            (TrainingError.weightNotFinite(name: "a", step: 1), .badData),
            (CheckpointError.notFinite(file: "a", name: "b", index: 0, value: "nan"), .badData),
            (DiversityError.unknownMetrics(["a"], known: []), .usage),
            (RewardError.scorer(command: "a", problem: "b"), .inputOutput),
            (RewardError.badPattern("(", reason: "b"), .usage),
            (EmbeddingService.Failure.refused(status: 404, endpoint: "a"), .inputOutput),
            (EmbeddingService.Failure.redirected(status: 307, endpoint: "a", to: "b"), .inputOutput),
            (ServiceAddress.Problem.hasUser, .usage),
            (ServiceKey.Problem(variable: "a"), .usage),
            (CocoaError(.fileReadNoSuchFile), .missingInput),
            (CocoaError(.fileWriteOutOfSpace), .inputOutput),
            (Odd(), .internalError),
        ]
        for (error, status) in cases {
            var output = ""
            #expect(Program.run("train-sft", errors: { output += $0 }) { throw error } == status)
            #expect(output.hasPrefix("train-sft: error: "))
            #expect(output.hasSuffix("\n") && output.dropLast().contains { $0.isNewline } == false)
        }
        var output = ""
        _ = Program.run("train-sft", errors: { output += $0 }) { throw Odd() }
        #expect(output == "train-sft: error: first second\n")
    }

    @Test func aStopIsNoError() {
        var output = ""
        let status = Program.run("train-sft", errors: { output += $0 }) {
            throw RunStopped(step: 12, path: "runs/a")
        }
        #expect(status == .tryAgain)
        #expect(
            output == "train-sft: stopped after step 12 as requested; runs/a has a checkpoint; "
                + "run the same command again to resume\n")
    }

    @Test func statusesAreThoseOfSysexits() {
        #expect(ProgramExit.allCases.map(\.rawValue) == [0, 64, 65, 66, 70, 73, 74, 75])
    }

    @Test func commandsEndTheProcess() async {
        await #expect(processExitsWith: .exitCode(64)) {
            Program.main("x") { throw CommandLineError.missingValue("--x") }
        }
        await #expect(processExitsWith: .success) { Program.main("x") {} }
    }
}

@Suite struct SignalsTests {
    /// Sends a signal to the calling thread, which may be one of a pool that blocks signals.
    private static func send(_ signal: Int32) {
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
        raise(signal)
    }

    /// Where no step is worked on there is nothing to wait for.
    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func outsideOfStepsTheFirstEnds(number: Int32) async {
        await #expect(processExitsWith: .exitCode(75)) { [number] in
            signal(SIGHUP, SIG_DFL)
            Signals.install()
            SignalsTests.send(number)
            exit(0)
        }
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func duringAStepTheFirstAsksAndTheSecondEnds(number: Int32) async {
        await #expect(processExitsWith: .exitCode(128 + number)) { [number] in
            signal(SIGHUP, SIG_DFL)
            Signals.install()
            Signals.waitsForStep = true
            precondition(!Signals.isStopRequested)
            SignalsTests.send(SIGTERM)
            precondition(Signals.isStopRequested)
            usleep(1_100_000)
            SignalsTests.send(number)
        }
    }

    /// Slurm sends SIGTERM twice within milliseconds at a time limit.
    @Test func aSecondSIGTERMAtOnceIsTheSame() async {
        await #expect(processExitsWith: .success) {
            Signals.install()
            Signals.waitsForStep = true
            for _ in 0..<3 { SignalsTests.send(SIGTERM) }
            precondition(Signals.isStopRequested)
            exit(0)
        }
    }

    /// Two times Ctrl-C, and Ctrl-C after SIGTERM, come from a person who does not want to wait.
    @Test(arguments: [SIGINT, SIGTERM]) func ctrlCAtOnceEnds(first: Int32) async {
        await #expect(processExitsWith: .exitCode(130)) { [first] in
            Signals.install()
            Signals.waitsForStep = true
            SignalsTests.send(first)
            SignalsTests.send(SIGINT)
        }
    }

    /// A launcher sends SIGTERM to the other processes when one has ended with an error.
    @Test func aProcessThatEndsKeepsItsStatus() async {
        await #expect(processExitsWith: .exitCode(65)) {
            Signals.install()
            Signals.endsNow(with: 65)
            for _ in 0..<2 { SignalsTests.send(SIGTERM) }
            precondition(!Signals.isStopRequested)
            SignalsTests.send(SIGINT)
            exit(0)
        }
    }

    @Test func aCheckpointIsAskedForOnce() async {
        await #expect(processExitsWith: .success) {
            Signals.install()
            precondition(!Signals.takeCheckpointRequest())
            SignalsTests.send(SIGUSR1)
            precondition(!Signals.isStopRequested)
            precondition(Signals.takeCheckpointRequest())
            precondition(!Signals.takeCheckpointRequest())
            exit(0)
        }
    }

    /// Under nohup a closed terminal means nothing.
    @Test func anIgnoredHangUpStaysIgnored() async {
        await #expect(processExitsWith: .success) {
            signal(SIGHUP, SIG_IGN)
            Signals.install()
            Signals.waitsForStep = true
            SignalsTests.send(SIGHUP)
            precondition(!Signals.isStopRequested)
            exit(0)
        }
    }

    @Test func aClosedPipeIsNotTheEnd() async {
        await #expect(processExitsWith: .success) {
            Signals.install()
            var ends: [Int32] = [0, 0]
            pipe(&ends)
            close(ends[0])
            precondition(write(ends[1], "x", 1) == -1 && errno == EPIPE)
            exit(0)
        }
    }
}
