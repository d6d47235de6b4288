import Formats
import Foundation
import Runs
import Train

/// The run folder of a stage, as all ranks use it. Rank 0 has it open, and is the only one that writes; the other ranks call the same
/// functions and learn the results.
final class SharedRunFolder {
    let url: URL
    let configuration: RunConfiguration
    let collective: any Collective
    /// The open folder; nil on the ranks above 0.
    let own: RunFolder?

    private static let tokenName = ".ranks"

    /// Opens the folder on rank 0, and checks that the other ranks have the same settings and see the same folder.
    /// - Throws: `CollectiveError.rankDiffers`; `RunFolderError.notShared`; the errors of `open`.
    init(
        at url: URL, _ configuration: RunConfiguration, among collective: any Collective, mayDiffer: Set<String>,
        open: () throws -> RunFolder
    ) throws {
        (self.url, self.configuration, self.collective) = (url, configuration, collective)
        guard collective.size > 1 else {
            own = try open()
            return
        }
        try Self.requireSame(configuration, mayDiffer: mayDiffer, among: collective)
        var opened: RunFolder?
        try collective.together { if collective.rank == 0 { opened = try open() } }
        own = opened
        try checkIsShared()
    }

    /// Whether this rank writes files and shows messages.
    var isFirst: Bool { collective.rank == 0 }

    // MARK: The functions of a run folder

    /// Whether the run has finished, that is, has a result.
    var isFinished: Bool { get throws { try collective.broadcast { try own?.isFinished ?? false } } }
    /// The folder of the result, which may not exist yet.
    var finalFolder: URL { RunFolder.finalFolder(inRun: url) }

    /// Restores the state of the newest valid checkpoint. All ranks get the checkpoint that rank 0 has found.
    func restore(note: (String) -> Void) throws -> Checkpoint? {
        guard let step = try collective.broadcast({ try own?.restore(note: note)?.step }) else { return nil }
        return Checkpoints.checkpoint(step: step, inRun: url)
    }

    /// Writes a checkpoint. `contents` runs on rank 0.
    func writeCheckpoint(step: Int, limit: Int?, contents: (URL) throws -> Void) throws {
        try collective.together { try own?.writeCheckpoint(step: step, limit: limit, contents: contents) }
    }

    /// Writes a folder of results. `contents` runs on rank 0.
    func writeResult(_ name: String = "final", contents: (URL) throws -> Void) throws {
        try collective.together { try own?.writeResult(name, contents: contents) }
    }

    /// Adds the seconds of a session to `timing.json`.
    func addSeconds(_ seconds: Double) throws { try collective.together { try own?.addSeconds(seconds) } }

    /// Removes what a new run that has done nothing has put into its folder.
    func discardIfNothingWasDone() { own?.discardIfNothingWasDone() }

    // MARK: Checks of several ranks

    /// Checks that all ranks run the same version with the same settings and files.
    private static func requireSame(_ configuration: RunConfiguration, mayDiffer: Set<String>, among collective: any Collective) throws {
        let all = try collective.gather(values: configuration)
        for (rank, other) in all.enumerated() {
            guard other.program == all[0].program, other.versions == all[0].versions else {
                throw CollectiveError.rankDiffers(rank: rank, what: "the program or its version")
            }
            let names = Set(other.options.keys).union(all[0].options.keys).subtracting(mayDiffer)
            if let name = names.sorted().first(where: { other.options[$0] != all[0].options[$0] }) {
                throw CollectiveError.rankDiffers(rank: rank, what: "the setting \(name)")
            }
            guard other.files == all[0].files else {
                throw CollectiveError.rankDiffers(rank: rank, what: "the content of a file that the settings name")
            }
        }
    }

    /// Checks that all ranks see the folder of rank 0: they must read a text that rank 0 has just written into it.
    private func checkIsShared() throws {
        let file = url.appendingPathComponent(Self.tokenName)
        let token = try collective.broadcast {
            let token = UUID().uuidString
            try AtomicFile.write(token, to: file)
            return token
        }
        let found = try collective.gather(values: isFirst || Self.reads(token, in: file))
        try collective.together { if isFirst { unlink(file.path) } }
        let others = found.indices.filter { !found[$0] }
        guard others.isEmpty else {
            discardIfNothingWasDone()
            throw RunFolderError.notShared(path: url.path, ranks: others)
        }
    }

    /// Whether a file holds a text. A network file system may show a new file with a delay.
    private static func reads(_ token: String, in file: URL) -> Bool {
        for attempt in 0..<20 {
            if attempt > 0 { usleep(100_000) }
            let text = try? Descriptor.content(of: file.path, limit: 1000, followingLinks: false)
            if text == Array(token.utf8) { return true }
        }
        return false
    }
}
