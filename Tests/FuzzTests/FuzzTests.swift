import Data
import Formats
import Foundation
import Models
import Tensor
import Testing

/// Damaged files of every format are read, or refused with an error of the package's own: no crash, no hanging, no runaway memory.
///
/// The tests try a thousand files for each reader, always the same ones. `make fuzz` sets `FUZZ_SECONDS`: so long, for each reader,
/// damage goes on with other seeds, and files that were refused in a new way are damaged further. The file that is being read lies in
/// `FUZZ_FOLDER/<reader>` and stays there when the process comes to an end.
@Suite(.serialized) struct FuzzTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seconds = environment["FUZZ_SECONDS"].flatMap(Double.init)
    private static let folder =
        environment["FUZZ_FOLDER"].map { URL(fileURLWithPath: $0, isDirectory: true) }
        ?? FileManager.default.temporaryDirectory.appendingPathComponent(
            "swift-rlhf-fuzz-\(getpid())", isDirectory: true)

    #if DEBUG
        private static let inputs = 300
    #else
        private static let inputs = 1000
    #endif
    /// The longest damaged file.
    private static let longest = 200_000
    /// How long reading one may take, on a machine that may have other work.
    private static let patience = Duration.seconds(seconds == nil ? 60 : 10)
    /// What reading files of that size may add to the memory of the process; beside other tests, what these may need, too.
    private static let memory = seconds == nil ? 4 << 30 : 512 << 20

    @Test("damaged files are read or refused", arguments: Reader.all)
    func fuzz(_ reader: Reader) throws {
        let folder = Self.folder.appendingPathComponent(reader.name, isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent(reader.file)
        let words = reader.words.map { Array($0.utf8) }
        var files = try reader.seedBytes()
        let sound = files.count
        var kinds: Set<String> = []
        var (tried, accepted, refused) = (0, 0, 0)
        let memory = Self.peakMemory()
        let start = ContinuousClock.now
        let deadline = Self.seconds.map { start + .seconds($0) }
        var seed = deadline == nil ? 1 : UInt64.random(in: 1 ... .max)
        while deadline.map({ ContinuousClock.now < $0 }) ?? (tried < Self.inputs) {
            tried += 1
            seed &+= 1
            var mutator = Mutator(seed: seed)
            let bytes = mutator.damaged(files, sound: sound, words: words, limit: Self.longest)
            try Foundation.Data(bytes).write(to: file)
            let began = ContinuousClock.now
            do {
                if let kind = try Self.refusal({ try reader.read(file) }) {
                    refused += 1
                    if kinds.insert(kind).inserted, files.count < 300 { files.append(bytes) }
                } else {
                    accepted += 1
                    if mutator.below(40) == 0, files.count < 300 { files.append(bytes) }
                }
            } catch {
                Issue.record("\(reader.name): \(type(of: error)): \(error); \(Self.kept(bytes, in: folder))")
            }
            let took = ContinuousClock.now - began
            let grown = tried % 16 == 0 ? Self.peakMemory() - memory : 0
            if took > Self.patience || grown > Self.memory {
                Issue.record("\(reader.name): took \(took) and \(grown >> 20) MiB; \(Self.kept(bytes, in: folder))")
                break
            }
        }
        if Self.seconds != nil {
            print("\(reader.name): \(accepted) files read, \(refused) refused in \(kinds.count) ways")
        }
        #expect(
            refused > 10 && kinds.count > 1,
            "\(reader.name): \(accepted) read, \(refused) refused in \(kinds.count) ways")
        try? FileManager.default.removeItem(at: file)
        // inputs that were kept keep their folders
        for folder in [folder, Self.folder] { rmdir(folder.path) }
    }

    /// The way in which a file was refused; nil when it was read.
    private static func refusal(_ body: () throws -> Void) throws -> String? {
        do {
            try body()
            return nil
        } catch let error as any Error & CustomStringConvertible
            where error is CheckpointError || error is ModelError || error is TokenizerError || error is DataError
            || error is FormatError
        {
            let message = error.description
            #expect(!message.isEmpty)
            // the words of the message: numbers and quoted texts are as they happen to be
            return String(message.filter { $0.isASCII && $0.isLetter || $0 == " " }.suffix(48))
        }
    }

    /// Keeps an input and says where.
    private static func kept(_ bytes: [UInt8], in folder: URL) -> String {
        let file = folder.appendingPathComponent("input-\(bytes.count)-\(UInt32.random(in: 0 ... .max))")
        try? Foundation.Data(bytes).write(to: file)
        return "the file is \(file.path)"
    }

    /// The most memory that the process has had, in bytes.
    private static func peakMemory() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(whereSeparator: { " \t".contains($0) }).dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }
}

/// Zeros for every weight of a size that a test can afford.
struct NoWeights: WeightSource {
    func parameter(_ name: String, _ shape: Shape, fresh: FreshWeight, transposed: Bool) throws -> Parameter {
        guard shape.count <= 1 << 16 else { throw CheckpointError.missingTensor(name: name, file: "no file") }
        return Parameter(name, .zeros(shape))
    }
}
