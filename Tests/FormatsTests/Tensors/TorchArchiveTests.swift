import Formats
import Foundation
import ShortFloats
import Testing
import _TestSupport

struct TorchArchiveTests {
    @Test(arguments: [("views.bin", "views.bin"), ("protocol4.bin", "views.bin"), ("module.bin", "module.bin")])
    func readsWhatTorchWrote(_ name: String, expected: String) throws {
        let archive = try TorchArchive(Fixtures.url("checkpoints/\(name)"))
        try expectTensors(archive.tensors, toBe: expected)
    }

    @Test func sharedStoragesAreSharedAndViewsGathered() throws {
        let tensors = Dictionary(
            uniqueKeysWithValues: try TorchArchive(Fixtures.url("checkpoints/views.bin")).tensors.map { ($0.name, $0) })
        let (base, tied) = (try #require(tensors["base"]), try #require(tensors["tied"]))
        #expect(base.withUnsafeBytes { Array($0) } == tied.withUnsafeBytes { Array($0) })
        #expect(base.isContiguous)
        #expect(try #require(tensors["shifted"]).isContiguous)
        for name in ["transposed", "columns", "expanded", "permuted"] {
            #expect(try !#require(tensors[name]).isContiguous, "\(name)")
        }
        let (values, turned) = (try base.floats(), try #require(tensors["transposed"]).floats())
        for row in 0..<4 {
            for column in 0..<6 { #expect(turned[4 * column + row] == values[6 * row + column]) }
        }
        let permuted = try #require(tensors["permuted"])
        let bits = try permuted.bfloat16Bits()
        #expect(bits.map { FloatConversion.widenBFloat16($0) } == (try permuted.floats()))
    }

    // MARK: Refusals

    func error(_ bytes: [UInt8]) -> CheckpointError? {
        checkpointError { try opening(bytes, as: "pytorch_model.bin") { try TorchArchive($0) } }
    }

    func refusal(pickle: [UInt8]) throws -> String {
        let error = try #require(self.error(TestArchive.torch(pickle: pickle).bytes))
        guard case .refusedPickle(_, _, let what) = error else { return "not refused: \(error)" }
        return what
    }

    @Test(arguments: [
        ("hostile-system.bin", "the global posix.system"), ("hostile-eval.bin", "the global __builtin__.eval"),
        ("hostile-torch-function.bin", "the global torch.serialization.load"),
    ])
    func refusesPicklesThatCall(_ name: String, what: String) throws {
        let error = try #require(checkpointError { try TorchArchive(Fixtures.url("checkpoints/\(name)")) })
        guard case .refusedPickle(_, _, let refused) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(refused == what)
    }

    @Test func refusesOtherOpcodesByName() throws {
        #expect(try refusal(pickle: [0x80, 2] + Array("(iposix\nsystem\n.".utf8)) == "the opcode INST")
        #expect(try refusal(pickle: Array("cposix\nsystem\n.".utf8)) == "the global posix.system")
        #expect(try refusal(pickle: [0x80, 2, 0x81]) == "the opcode NEWOBJ")
        #expect(try refusal(pickle: [0x80, 2, 0x82, 1]) == "the opcode EXT1")
        #expect(try refusal(pickle: [0x80, 2, 0x6F]) == "the opcode OBJ")
        #expect(try refusal(pickle: [0x80, 2, 0xFE]) == "the opcode 0xfe")
        #expect(try refusal(pickle: [0x80, 1]) == "pickle protocol 1")
        let stacked = [0x80, 4] + TestPickle.text("builtins") + TestPickle.text("exec") + [0x93]
        #expect(try refusal(pickle: stacked) == "the global builtins.exec")
    }

    @Test func refusesKnownNamesInOtherPlaces() throws {
        let ordered = TestPickle.global("collections", "OrderedDict")
        let storage = TestPickle.global("torch", "FloatStorage")
        #expect(try refusal(pickle: [0x80, 2] + ordered + TestPickle.ints([1]) + [0x52]).contains("with arguments"))
        #expect(try refusal(pickle: [0x80, 2] + storage + [0x29, 0x52]) == "a call of a storage type")
        #expect(try refusal(pickle: [0x80, 2] + TestPickle.text("f") + [0x29, 0x52]).contains("unknown object"))
        #expect(try refusal(pickle: [0x80, 2] + ordered + [0x7D, 0x62]).contains("BUILD"))
        #expect(try refusal(pickle: [0x80, 2] + TestPickle.text("storage") + [0x51]).contains("persistent identifier"))
        let rebuild = TestPickle.global("torch._utils", "_rebuild_tensor_v2")
        #expect(try refusal(pickle: [0x80, 2] + rebuild + [0x29, 0x52]).contains("unknown arguments"))
        #expect(try refusal(pickle: [0x80, 2] + TestPickle.global("torch", "Tensor")) == "the global torch.Tensor")
    }

    @Test func survivesProgramsWithoutSense() throws {
        #expect(try refusal(pickle: [0x80, 2, 0x2E]).contains("empty stack"))
        #expect(try refusal(pickle: [0x80, 2, 0x74]).contains("without a mark"))
        #expect(try refusal(pickle: [0x80, 2, 0x4E, 0x28, 0x61]).contains("empty stack"))
        #expect(try refusal(pickle: [0x80, 2, 0x68, 7]).contains("memo entry 7"))
        #expect(try refusal(pickle: [0x80, 2, 0x4E, 0x4E, 0x2E]).contains("left on the stack"))
        #expect(try refusal(pickle: [0x80, 2, 0x7D, 0x28, 0x4E, 0x75]).contains("not a dictionary"))
        #expect(try refusal(pickle: [0x80, 2, 0x4E, 0x4E, 0x61]).contains("not a list"))
        #expect(try refusal(pickle: [0x80, 2, 0x8A, 9] + [UInt8](repeating: 1, count: 9)).contains("9 bytes"))
        #expect(try refusal(pickle: [0x80, 2, 0x8C, 2, 0xC3, 0x28]).contains("UTF-8"))
        #expect(try refusal(pickle: [0x80, 2] + [UInt8](repeating: 0x28, count: 5000)).contains("too deep"))
        for pickle: [UInt8] in [
            [], [0x80], [0x80, 2, 0x58, 0xFF, 0xFF, 0xFF, 0xFF], [0x80, 2, 0x8D] + littleEndian(UInt64.max),
        ] {
            guard case .truncated = error(TestArchive.torch(pickle: pickle).bytes) else {
                Issue.record("\(pickle)")
                return
            }
        }
    }

    @Test func nestingAndCyclesCostNothing() throws {
        // A hundred thousand tuples in each other, and a list that holds itself.
        let nested = [0x80, 2, 0x4E] + [UInt8](repeating: 0x85, count: 100_000) + [0x2E]
        guard case .badFormat = error(TestArchive.torch(pickle: nested).bytes) else {
            Issue.record("nested")
            return
        }
        let cycle: [UInt8] = [0x80, 2, 0x5D, 0x71, 0, 0x68, 0, 0x61, 0x2E]
        guard case .badFormat(_, let reason) = error(TestArchive.torch(pickle: cycle).bytes) else {
            Issue.record("cycle")
            return
        }
        #expect(reason.contains("does not contain a dictionary of tensors"))
        let many = [0x80, 2] + [UInt8](repeating: 0x5D, count: 3_000_000) + [0x2E]
        guard case .tooLarge(_, _, _, limit: 2_000_000) = error(TestArchive.torch(pickle: many).bytes) else {
            Issue.record("many")
            return
        }
    }

    // MARK: Views that lie

    func error(tensor: [UInt8], storage: [Float] = [1, 2, 3, 4, 5, 6]) throws -> CheckpointError {
        let pickle = TestPickle.dictionary([("w", tensor)])
        return try #require(error(TestArchive.torch(pickle: pickle, storage: storage).bytes))
    }

    @Test func readsArchivesWrittenByHand() throws {
        let pickle = TestPickle.dictionary([
            ("w", TestPickle.tensor(shape: [2, 2], strides: [3, 1], offset: 1)),
            ("one", TestPickle.tensor(shape: [1, 2], strides: [.max, 4])),
            ("none", TestPickle.tensor(shape: [0, 9], strides: [9, 1], offset: 6)),
        ])
        let tensors = try opening(TestArchive.torch(pickle: pickle).bytes, as: "w.bin") { try TorchArchive($0).tensors }
        #expect(try tensors.map { try $0.floats() } == [[2, 3, 5, 6], [1, 5], []])
        #expect(tensors.map(\.shape) == [[2, 2], [1, 2], [0, 9]])
    }

    @Test func refusesViewsOutsideOfTheirStorage() throws {
        typealias Pickle = TestPickle
        for tensor in [
            Pickle.tensor(shape: [7], strides: [1]), Pickle.tensor(shape: [6], strides: [1], offset: 1),
            Pickle.tensor(shape: [2, 3], strides: [4, 1]), Pickle.tensor(shape: [], strides: [], offset: .max),
            Pickle.tensor(shape: [], strides: [], offset: 6),
        ] {
            guard case .outOfRange(_, "w", _, _, size: 24) = try error(tensor: tensor) else {
                Issue.record("\(try error(tensor: tensor))")
                return
            }
        }
        for tensor in [
            Pickle.tensor(shape: [2], strides: [-1], offset: 1), Pickle.tensor(shape: [2], strides: [1], offset: -1),
            Pickle.tensor(shape: [-1], strides: [1]), Pickle.tensor(shape: [2, 2], strides: [1]),
            Pickle.tensor(shape: [3], strides: [.max]), Pickle.tensor(shape: [1 << 62, 4], strides: [0, 0]),
            Pickle.tensor(shape: [1], strides: [1], key: "../0"),
        ] {
            guard case .badTensor(_, "w", _) = try error(tensor: tensor) else {
                Issue.record("\(try error(tensor: tensor))")
                return
            }
        }
        // A storage that claims more than its member has, and a small one expanded beyond the size of the file.
        #expect(
            try error(tensor: Pickle.tensor(shape: [7], strides: [1], count: 7)).description.contains("needs 28 bytes"))
        guard
            case .tooLarge(_, _, size: 4_000_000, _) = try error(
                tensor: Pickle.tensor(shape: [1_000_000], strides: [0]))
        else {
            Issue.record("expanded")
            return
        }
        guard case .refusedPickle = try error(tensor: Pickle.tensor(shape: [1], strides: [1], storage: "QuantStorage"))
        else {
            Issue.record("unknown storage")
            return
        }
    }

    @Test func refusesRepeatedNamesAndOtherContents() throws {
        let tensor = TestPickle.tensor(shape: [1], strides: [1])
        guard
            case .duplicateTensor("w", _) =
                error(TestArchive.torch(pickle: TestPickle.dictionary([("w", tensor), ("w", tensor)])).bytes)
        else {
            Issue.record("repeated")
            return
        }
        let counters = TestPickle.dictionary([("step", TestPickle.int(3))])
        guard case .badFormat(_, let reason) = error(TestArchive.torch(pickle: counters).bytes) else {
            Issue.record("no tensors")
            return
        }
        #expect(reason.contains("no tensors by name"))
    }

    // MARK: Archives that lie

    func archive(_ change: (inout TestArchive) -> Void) throws -> String {
        var archive = TestArchive.torch(
            pickle: TestPickle.dictionary([("w", TestPickle.tensor(shape: [6], strides: [1]))]))
        change(&archive)
        return try #require(error(archive.bytes)).description
    }

    @Test func refusesDamagedArchives() throws {
        #expect(try archive { $0.method = 8 }.contains("compressed"))
        #expect(try archive { $0.flags = 1 }.contains("encrypted"))
        #expect(try archive { $0.offsetOfMember = { _, _ in 0 } }.contains("does not match the directory"))
        #expect(try archive { $0.localNameOfMember = { $0 + "x" } }.contains("does not match the directory"))
        #expect(try archive { $0.offsetOfMember = { $1 + 1 } }.contains("no header"))
        #expect(try archive { $0.members.append($0.members[1]) }.contains("two members named"))
        #expect(try archive { $0.members[0].name = "archive/other.pkl" }.contains("found 0"))
        #expect(try archive { $0.members.append(("other/data.pkl", [])) }.contains("found 2"))
        #expect(try archive { $0.members.append(("archive/byteorder", Array("big".utf8))) }.contains("little-endian"))
        #expect(try archive { $0.members.remove(at: 1) }.contains("storage 0 is not in the archive"))
        #expect(try archive { $0.members = [] }.contains("found 0"))
        for name in ["/etc/passwd", "../x", "a/../../x", "a\\b"] {
            #expect(try archive { $0.members.append((name, [])) }.contains("refused"), "\(name)")
        }
    }

    @Test func twoMembersCannotShareBytes() throws {
        // The second member's header lies inside of the first one's data.
        let inner = TestArchive(members: [("archive/data/0", littleEndianBytes([1]))]).bytes.prefix(48)
        var archive = TestArchive(members: [
            ("archive/data.pkl", Array(inner)), ("archive/data/0", littleEndianBytes([1])),
        ])
        archive.offsetOfMember = { $0 == 0 ? $1 : 30 + "archive/data.pkl".utf8.count }
        #expect(try #require(error(archive.bytes)).description.contains("overlap"))
    }

    @Test func everyTruncationIsAnError() throws {
        let whole = try bytes(of: Fixtures.url("checkpoints/module.bin"))
        for count in 0..<whole.count { #expect(error(Array(whole[..<count])) != nil) }
        #expect(error(whole + [0]) != nil)
    }

    @Test func namesTheLegacyFormat() throws {
        let file = Fixtures.url("checkpoints/legacy.bin")
        #expect(checkpointError { try TorchArchive(file) } == .legacyTorchFormat(file: file.path))
        var tar = [UInt8](repeating: 0, count: 512)
        tar.replaceSubrange(257..<262, with: Array("ustar".utf8))
        guard case .legacyTorchFormat = error(tar) else {
            Issue.record("tar")
            return
        }
    }

    @Test func mutatedFilesNeverCrash() throws {
        let originals = try ["module.bin", "views.bin"].map { try bytes(of: Fixtures.url("checkpoints/\($0)")) }
        var generator = SplitMix(state: 92)
        var accepted = 0
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("mutated.bin")
            for round in 0..<4000 {
                let original = originals[round % 2]
                try Data(mutated(original, using: &generator)).write(to: file)
                do {
                    for tensor in try TorchArchive(file).tensors {
                        #expect(tensor.byteCount <= original.count * 2)
                        if tensor.elementType.isReadableAsFloat { _ = try tensor.floats(allowingNonFinite: true) }
                    }
                    accepted += 1
                } catch is CheckpointError {}
            }
        }
        #expect(accepted > 100)
    }

    /// The pickle alone, where damage to the archive around it cannot hide it.
    @Test func mutatedPicklesNeverCrash() throws {
        let pickle = TestPickle.dictionary(
            (0..<4).map { ("w\($0)", TestPickle.tensor(shape: [2, $0 + 1], strides: [1, $0 % 2], offset: $0 % 2)) })
        var generator = SplitMix(state: 93)
        var accepted = 0
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("mutated.bin")
            for _ in 0..<4000 {
                let archive = TestArchive.torch(pickle: mutated(pickle, using: &generator))
                try Data(archive.bytes).write(to: file)
                do {
                    for tensor in try TorchArchive(file).tensors where tensor.elementType.isReadableAsFloat {
                        _ = try tensor.floats(allowingNonFinite: true)
                    }
                    accepted += 1
                } catch is CheckpointError {}
            }
        }
        #expect(accepted > 50)
    }
}
