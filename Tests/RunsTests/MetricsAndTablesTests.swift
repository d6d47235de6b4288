import Data
import Formats
import Foundation
import Runs
import Testing
import _TestSupport

@Suite struct MetricsFileTests {
    @Test func linesAreSortedAndExact() throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        let values = [
            "b": 0.1 + 0.2, "a": 3, "tiny": Double.leastNonzeroMagnitude, "huge": 1.7976931348623157e308,
            "quote\"\n": -1,
        ]
        try run.metrics.append(Measurement(step: 12, values: values))
        try run.metrics.append(Measurement(step: 13, values: ["nan": .nan, "inf": -.infinity, "x": 1]))
        let first =
            #"{"step":12,"a":3.0,"b":0.30000000000000004,"huge":1.7976931348623157e+308,"#
            + #""quote\"\u000a":-1.0,"tiny":5e-324}"#
        #expect(
            text(of: folder["a/metrics.jsonl"]) == first + "\n" + #"{"step":13,"inf":null,"nan":null,"x":1.0}"# + "\n")
        let read = try MetricsFile.read(inRun: folder["a"])
        #expect(read == [Measurement(step: 12, values: values), Measurement(step: 13, values: ["x": 1])])
    }

    @Test(arguments: ["{}", "[1]", "{\"step\":1.5}", "{\"step\":1,\"x\":\"y\"}", ""])
    func namesABadLine(line: String) throws {
        let folder = try TemporaryFolder()
        try Data("{\"step\":1}\n\(line)\n".utf8).write(to: folder["metrics.jsonl"])
        let error = #expect(throws: RunFolderError.self) { try MetricsFile.read(inRun: folder.url) }
        #expect("\(error as Any)".contains(folder["metrics.jsonl"].path))
        guard case .badLine(_, line: 2, _) = error else {
            Issue.record("line 2 expected: \(error as Any)")
            return
        }
    }

    @Test func anAbsentFileIsMissing() throws {
        let folder = try TemporaryFolder()
        #expect(throws: FileError.missing(path: folder["metrics.jsonl"].path)) {
            try MetricsFile.read(inRun: folder.url)
        }
    }

    /// A run killed on a full disk in the program's own tests shows that no part of a line stays (`FaultTests`).
    @Test func aFullDiskIsAnErrorThatSaysWhatToDo() throws {
        let error = FileError.cannotWrite(path: "a/metrics.jsonl", SystemError(code: ENOSPC))
        #expect("\(error)".contains("a/metrics.jsonl") && "\(error)".contains("free some space and run the same command again"))
    }

    /// A line that does not fit leaves no half of itself.
    @Test func aShortWriteIsTakenBack() async throws {
        let folder = try TemporaryFolder()
        await #expect(processExitsWith: .success) { [path = folder["a"].path as String] in
            let run = try RunFolder(at: URL(fileURLWithPath: path), configuration: .sample())
            try run.metrics.append(Measurement(step: 1, values: ["a": 1]))
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 30, rlim_max: 30)
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            #expect(throws: FileError.self) { try run.metrics.append(Measurement(step: 2, values: ["a": 1])) }
            try run.metrics.append(Measurement(step: 3, values: [:]))
        }
        #expect(text(of: folder["a/metrics.jsonl"]) == "{\"step\":1,\"a\":1.0}\n{\"step\":3}\n")
    }
}

@Suite struct TablesTests {
    @Test func rowsComeBack() throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        try run.tables.append([.sample(1), .sample(2)], to: "test")
        try run.tables.append([], to: "empty")
        try run.tables.append([.sample(3)], to: "test")
        try run.tables.append([.sample(4)], to: "best-of-16.ood")
        #expect(try Tables.names(inRun: run.url) == ["best-of-16.ood", "test"])
        #expect(try Tables.read("test", inRun: run.url) == [.sample(1), .sample(2), .sample(3)])
        #expect(text(of: folder["a/tables/test.jsonl"]).split(separator: "\n").count == 3)
    }

    @Test func namesTheKnownTables() throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        #expect(throws: RunFolderError.unknownTable("x", path: run.url.path, known: [])) {
            try Tables.read("x", inRun: run.url)
        }
        try run.tables.append([.sample(1)], to: "test")
        #expect(throws: RunFolderError.unknownTable("../config", path: run.url.path, known: ["test"])) {
            try Tables.read("../config", inRun: run.url)
        }
    }

    @Test(arguments: ["", "..", ".hidden", "a/b", "-a", "a b", "é", String(repeating: "a", count: 201)])
    func refusesNamesThatAreNoFileNames(name: String) throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        #expect(throws: RunFolderError.invalidName(name)) { try run.tables.append([.sample(1)], to: name) }
    }

    @Test func aNumberThatIsNotFiniteLeavesNoRow() throws {
        let folder = try TemporaryFolder()
        let run = try RunFolder(at: folder["a"], configuration: .sample())
        try run.tables.append([.sample(1)], to: "test")
        var bad = SampleRow.sample(2)
        bad.reward = .nan
        #expect(throws: (any Error).self) { try run.tables.append([.sample(2), bad], to: "test") }
        #expect(try Tables.read("test", inRun: run.url) == [.sample(1)])
    }
}
