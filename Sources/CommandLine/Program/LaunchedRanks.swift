internal import Formats
internal import Foundation
internal import MPICollective
internal import Runs
internal import Tensor
package import Train

/// The processes of a program that mpirun or srun has started together.
///
/// Each runs the whole program. Only rank 0 prints, and prints one line if any rank fails. All ranks end with the same exit status.
package enum LaunchedRanks {
    /// The processes that run the command. Default: this process alone.
    @TaskLocal static var collective: any Collective = LocalCollective()
    /// The number of them on this machine.
    @TaskLocal static var countOnMachine = 1

    /// Runs the body of a program in each of the processes that a launcher has started.
    /// - Parameters:
    ///   - usesRanks: whether the program supports several processes.
    ///   - environment: the variables of this process.
    /// - Returns: the exit status; nil if no launcher has started several processes.
    static func run(_ name: String, usesRanks: Bool, environment: [String: String], _ body: () throws -> Void) -> Int32? {
        guard let count = MPICollective.launchedProcesses(in: environment), count > 1 else {
            if usesRanks, environment["SLURM_PROCID"] == "0", let count = MPICollective.separateProcesses(in: environment) {
                write("\(name): note: srun has started \(count) processes, and each works alone; to train together, use srun --mpi=pmix\n")
            }
            return nil
        }
        func refuse(_ problem: String) -> Int32 {
            Signals.endsNow(with: ProgramExit.usage.rawValue)
            if MPICollective.launchedRank(in: environment) ?? 0 == 0 { write("\(name): error: \(problem)\n") }
            return ProgramExit.usage.rawValue
        }
        guard usesRanks else { return refuse("\(name) runs as one process; start it without mpirun or srun") }
        let group: MPICollective
        do {
            group = try MPICollective.begin()
        } catch {
            return refuse("\(error)")
        }
        guard group.size == count else {
            return refuse(
                "the launcher has started \(Counted(count, "process", plural: "processes")), but this program's MPI library sees \(group.size); "
                    + "use the mpirun of the MPI library that the program was built with")
        }
        if group.rank > 0 { silence() }
        let status = run(name, among: group, show: write, body)
        fflush(nil)
        // a launcher may end the other processes as soon as one has ended with an error, so all have finished their work by now
        try? group.end()
        return status
    }

    /// Runs the body of a program in each process of a group.
    /// - Parameter show: prints the line of an error; called on rank 0 only.
    /// - Returns: the exit status, the same on all ranks.
    package static func run(
        _ name: String, among group: any Collective, show: (String) -> Void, _ body: () throws -> Void
    ) -> Int32 {
        let guarded = GuardedCollective(group)
        var end = RankEnd()
        let status = Program.run(name, errors: { end.text += $0 }) {
            do {
                let places = try Places(guarded)
                try $collective.withValue(guarded) {
                    try $countOnMachine.withValue(places.onMachine) {
                        try Compute.$threads.withValue(max(1, Compute.threads / places.onProcessors), operation: body)
                    }
                }
                try StandardOutput.check()
            } catch {
                if case CollectiveError.rankFailed = error { end.isOwn = false }
                throw error
            }
        }
        end.status = status.rawValue
        // a launcher may send SIGTERM as soon as another rank has ended with the error, which must not change how this rank ends
        if status != .success { Signals.endsNow(with: status.rawValue) }
        let ends: [RankEnd?]
        do {
            ends = try guarded.end(end)
        } catch {
            let text = end.text.isEmpty ? "\(error)" : end.text.trimmingCharacters(in: .whitespacesAndNewlines)
            group.abort(text, status: end.status == 0 ? ProgramExit.inputOutput.rawValue : end.status)
            return end.status
        }
        let failure = ends.failure ?? (end.status == 0 ? nil : (group.rank, end))
        Signals.endsNow(with: failure?.end.status ?? 0)
        guard let failure else { return 0 }
        if group.rank == 0 { show(text(of: failure, among: ends, name)) }
        return failure.end.status
    }

    /// The line of a failure. It names the rank, unless all ranks have failed with the same message.
    private static func text(of failure: (rank: Int, end: RankEnd), among ends: [RankEnd?], _ name: String) -> String {
        let text = failure.end.text
        let opening = "\(name): error: "
        guard failure.rank > 0, ends.contains(where: { $0?.text != text }), text.hasPrefix(opening) else { return text }
        return "\(opening)rank \(failure.rank): \(text.dropFirst(opening.count))"
    }

    /// Keeps the terminal for rank 0. Error messages of the system still reach standard error.
    private static func silence() {
        Signals.isSilent = true
        let nowhere = open("/dev/null", O_WRONLY)
        guard nowhere >= 0 else { return }
        dup2(nowhere, STDOUT_FILENO)
        close(nowhere)
    }

    private static func write(_ text: String) { Terminal.write(text, to: STDERR_FILENO) }
}

/// Which ranks share a machine, and which of them share its processors.
private struct Places {
    /// A rank's machine and the processors that it may use.
    private struct Place: Codable, Equatable {
        var machine: String
        var processors: String

        static var own: Place {
            let bootID = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
            let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
            let allowed = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
            return Place(machine: bootID ?? ProcessInfo.processInfo.hostName, processors: allowed.map(String.init) ?? "")
        }
    }

    /// The number of ranks on this rank's machine, including itself.
    let onMachine: Int
    /// The number of ranks that may use the same processors, including this one.
    let onProcessors: Int

    init(_ collective: any Collective) throws {
        let own = Place.own
        let all = try collective.gather(values: own)
        onMachine = all.count { $0.machine == own.machine }
        onProcessors = all.count { $0 == own }
    }
}
