import Formats
import Foundation
import Runs
import Testing
import _TestSupport

/// A run folder keeps to itself: what others put there, or what its names lead to elsewhere, is neither changed nor waited for.
@Suite struct ForeignFolderTests {
    private func open(_ url: URL) throws -> RunFolder { try RunFolder(at: url, configuration: .sample()) }

    @Test(
        "a folder that is not empty and no run is refused as it is",
        arguments: ["metrics.jsonl", "tables/mine.jsonl", "notes.txt", ".lock"])
    func foreign(name: String) throws {
        let folder = try TemporaryFolder()
        try Folder.make(folder["a/" + name].deletingLastPathComponent())
        try AtomicFile.write("precious\n", to: folder["a/" + name])
        let error = #expect(throws: RunFolderError.self) { try open(folder["a"]) }
        #expect({ if case .foreignFolder? = error { true } else { false } }())
        #expect(text(of: folder["a/" + name]) == "precious\n")
        #expect(TemporaryFolder.names(in: folder["a"]).count == 1)
    }

    @Test("hard links inside a run folder are refused: another name's content would change", arguments: [".lock", "metrics.jsonl"])
    func hardLinks(name: String) throws {
        let folder = try TemporaryFolder()
        _ = try open(folder["a"])
        try AtomicFile.write("precious\n", to: folder["mine"])
        unlink(folder["a/" + name].path)
        #expect(link(folder["mine"].path, folder["a/" + name].path) == 0)
        let error = #expect(throws: FileError.self) { try open(folder["a"]) }
        #expect("\(error as Any)".contains("hard link"))
        #expect(text(of: folder["mine"]) == "precious\n")
    }

    @Test("a run that begins again with other options takes away its own results alone")
    func ownResults() throws {
        let folder = try TemporaryFolder()
        var configuration = RunConfiguration.sample()
        configuration.options["named"] = .string("mine-by-option")
        do {
            let run = try RunFolder(at: folder["a"], configuration: configuration)
            for name in ["final", "comparisons", "predictions-test", "mine-by-option"] {
                try run.writeResult(name) { try AtomicFile.write("x", to: $0.appendingPathComponent("x")) }
            }
        }
        for copy in ["final-first", "mymodel"] {
            try FileManager.default.copyItem(at: folder["a/final"], to: folder["a/" + copy])
        }
        try FileManager.default.removeItem(at: folder["a/final"])
        _ = try RunFolder(at: folder["a"], configuration: .sample(seed: 8))
        let left = TemporaryFolder.names(in: folder["a"])
        #expect(left.filter { !$0.hasPrefix(".") && !$0.contains("json") } == ["final-first", "mymodel"])
    }

    @Test func whatAnInterruptedBeginningLeavesIsARuns() throws {
        let folder = try TemporaryFolder()
        try Folder.make(folder["a"])
        try AtomicFile.write("train-sft (process 7)\n", to: folder["a/.lock"])
        try AtomicFile.write("{", to: folder["a/.config.json.partial-7-0"])
        _ = try open(folder["a"])
        #expect(TemporaryFolder.names(in: folder["a"]) == [".lock", "config.json", "metrics.jsonl"])
    }

    @Test(
        "links in a run folder are refused",
        arguments: [".lock", "metrics.jsonl", "tables", "checkpoints", "final", "config.json", "timing.json", "profile.json"])
    func links(name: String) throws {
        let folder = try TemporaryFolder()
        _ = try open(folder["a"])
        try Folder.make(folder["out"])
        try AtomicFile.write("precious\n", to: folder["out/a.jsonl"])
        let inside = folder["a/" + name].path
        if name == "config.json" { try FileManager.default.moveItem(at: folder["a/config.json"], to: folder["out/config.json"]) }
        unlink(inside)
        let isFile = name.hasPrefix(".") || name.contains("json")
        let target = name == "config.json" ? "../out/config.json" : isFile ? "../out/a.jsonl" : "../out"
        #expect(symlink(target, inside) == 0)
        let error = #expect(throws: RunFolderError.self) { try open(folder["a"]) }
        #expect("\(error as Any)".contains("a symbolic link"))
        #expect(text(of: folder["out/a.jsonl"]) == "precious\n")
    }

    @Test func theFolderItselfMayBeALink() throws {
        let folder = try TemporaryFolder()
        try Folder.make(folder["real"])
        #expect(symlink("real", folder["a"].path) == 0)
        _ = try open(folder["a"])
        #expect(TemporaryFolder.names(in: folder["real"]).contains("config.json"))
    }

    @Test(
        "pipes and folders in the place of files are refused at once", .timeLimit(.minutes(1)),
        arguments: ["metrics.jsonl", "config.json", ".lock"])
    func pipes(name: String) throws {
        let folder = try TemporaryFolder()
        _ = try open(folder["a"])
        unlink(folder["a/" + name].path)
        #expect(mkfifo(folder["a/" + name].path, 0o600) == 0)
        #expect(throws: RunFolderError.self) { try open(folder["a"]) }
    }

    @Test func aFileCalledFinalIsNoResult() throws {
        let folder = try TemporaryFolder()
        _ = try open(folder["a"])
        try AtomicFile.write("", to: folder["a/final"])
        #expect(try !RunFolder.isFinished(folder["a"]))
        #expect(throws: RunFolderError.self) { try open(folder["a"]) }
    }

    @Test func changedLinesBeforeTheCheckpointAreFound() throws {
        let folder = try TemporaryFolder()
        do {
            let run = try open(folder["a"])
            for step in 1...3 { try run.metrics.append(Measurement(step: step, values: ["loss": 1])) }
            try run.tables.append([.sample(1)], to: "test")
            try run.writeCheckpoint(step: 3) { _ in }
            try run.metrics.append(Measurement(step: 4, values: ["loss": 1]))
        }
        for name in ["a/metrics.jsonl", "a/tables/test.jsonl"] {
            let whole = try Data(contentsOf: folder[name])
            var changed = whole
            changed[9] ^= 1
            try changed.write(to: folder[name])
            let error = #expect(throws: RunFolderError.self) { try open(folder["a"]).restore() }
            #expect("\(error as Any)".contains("is damaged"))
            #expect(try Data(contentsOf: folder[name]) == changed)
            try whole.write(to: folder[name])
        }
        #expect(try MetricsFile.read(inRun: folder["a"]).count == 4)
        // checkpoints of earlier versions have lengths alone
        let checkpoint = folder["a/checkpoints/step-000003"]
        let lengths = try JSONSerialization.jsonObject(with: Data(contentsOf: checkpoint.appendingPathComponent("lengths.json")))
        var old = try #require(lengths as? [String: Any])
        #expect(old.removeValue(forKey: "metricsChecksum") != nil && old.removeValue(forKey: "tableChecksums") != nil)
        try JSONSerialization.data(withJSONObject: old).write(to: checkpoint.appendingPathComponent("lengths.json"))
        unlink(checkpoint.appendingPathComponent("checksums.json").path)
        try FolderChecksums(of: checkpoint).write(to: checkpoint)
        #expect(try open(folder["a"]).restore()?.step == 3)
        #expect(try MetricsFile.read(inRun: folder["a"]).count == 3)
    }
}
