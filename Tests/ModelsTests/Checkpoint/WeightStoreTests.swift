import Formats
import Foundation
import Models
import Testing
import _TestSupport

struct WeightStoreTests {
    @Test(arguments: [("sharded-safetensors", WeightStore.Layout.shardedSafetensors), ("sharded-torch", .shardedTorch)])
    func readsShards(_ name: String, layout: WeightStore.Layout) throws {
        let store = try WeightStore(folder: Fixtures.url("checkpoints/\(name)"))
        #expect(store.layout == layout)
        #expect(store.names == (0..<5).map { "layer.\($0).weight" })
        try expectTensors(store.names.map { try store.tensor($0) }, toBe: name)
    }

    @Test func readsSingleFiles() throws {
        let model = try WeightStore(folder: Fixtures.url("models/llama-gqa"))
        #expect(model.layout == .safetensors)
        #expect(try model.shape(of: "lm_head.weight") == [48, 16])
        #expect(try model.elementType(of: "lm_head.weight") == .float32)
        #expect(model.contains("v_head.linear.weight") && !model.contains("v_head"))
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("pytorch_model.bin")
            try FileManager.default.copyItem(at: Fixtures.url("checkpoints/views.bin"), to: file)
            let store = try WeightStore(folder: folder)
            #expect(store.layout == .torch)
            #expect(try store.bfloat16Bits(of: "bf16").count == 6)
            // Safetensors come first when both are there.
            try FileManager.default.copyItem(
                at: Fixtures.url("checkpoints/types.safetensors"), to: folder.appendingPathComponent("model.safetensors"))
            #expect(try WeightStore(folder: folder).layout == .safetensors)
            #expect(try WeightStore(file: file).contains("tied"))
        }
    }

    @Test func namesWhatIsMissingSurplusOrOfAnotherShape() throws {
        let folder = Fixtures.url("models/llama-gqa")
        let file = folder.appendingPathComponent("model.safetensors").path
        let store = try WeightStore(folder: folder)
        #expect(checkpointError { try store.floats(of: "w") } == .missingTensor(name: "w", file: file))
        #expect(
            checkpointError { try store.floats(of: "lm_head.weight", shape: [16, 48]) }
                == .wrongShape(name: "lm_head.weight", got: [48, 16], expected: [16, 48]))
        var expected = Set(store.names)
        try store.checkSurplus(expected: expected)
        expected.remove("lm_head.weight")
        #expect(
            checkpointError { try store.checkSurplus(expected: expected) }
                == .surplusTensor(name: "lm_head.weight", file: file))
        try withTemporaryFolder { folder in
            #expect(checkpointError { try WeightStore(folder: folder) } == .noWeights(folder: folder.path))
        }
    }

    // MARK: Indexes

    /// A folder with two shards, `a` with tensors x and y, `b` with y and z, and an index.
    func store(index: String) throws -> WeightStore {
        try withTemporaryFolder { folder in
            func write(_ name: String, _ tensors: [(String, Float)]) throws {
                try SafetensorsWriter().write(
                    tensors.map { WritableTensor($0.0, shape: [1], values: [$0.1]) },
                    toFile: folder.appendingPathComponent(name))
            }
            try write("a.safetensors", [("x", 1), ("y", 2)])
            try write("b.safetensors", [("y", 3), ("z", 4)])
            try Data(index.utf8).write(to: folder.appendingPathComponent("model.safetensors.index.json"))
            return try WeightStore(folder: folder)
        }
    }

    @Test func theIndexDecidesWhereATensorLies() throws {
        let store = try store(
            index: #"{"weight_map": {"x": "a.safetensors", "y": "b.safetensors", "z": "b.safetensors"}}"#)
        #expect(try store.names.map { try store.floats(of: $0) } == [[1], [3], [4]])
    }

    @Test func aTensorTheIndexForgetsIsStillRead() throws {
        let store = try store(index: #"{"metadata": {"a": [{}, 1, null]}, "weight_map": {"y": "a.safetensors"}}"#)
        #expect(store.names == ["x", "y"])
        let ambiguous = checkpointError {
            try self.store(index: #"{"weight_map": {"x": "a.safetensors", "z": "b.safetensors"}}"#)
        }
        guard case .duplicateTensor("y", _) = ambiguous else {
            Issue.record("\(String(describing: ambiguous))")
            return
        }
    }

    @Test func namesMissingShardsAndTensors() throws {
        guard
            case .missingTensor("q", let file) = checkpointError({
                try store(index: #"{"weight_map": {"q": "a.safetensors"}}"#)
            })
        else {
            Issue.record("a missing tensor")
            return
        }
        #expect(file.hasSuffix("/a.safetensors"))
        guard
            case .unreadable(let file, _) = checkpointError({
                try store(index: #"{"weight_map": {"x": "c.safetensors"}}"#)
            })
        else {
            Issue.record("a missing shard")
            return
        }
        #expect(file.hasSuffix("/c.safetensors"))
    }

    @Test(arguments: [
        "../a.safetensors", "/etc/passwd", "x/../../a", "sub/a.safetensors", "..", "", ".", "a\\\\b", "a\\u0000",
    ])
    func refusesNamesOutsideOfTheFolder(_ name: String) throws {
        guard case .unsafeName = checkpointError({ try store(index: #"{"weight_map": {"x": "\#(name)"}}"#) }) else {
            Issue.record("\(name)")
            return
        }
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"weight_map": []}"#, #"{"weight_map": {"x": 1}}"#, #"{"weight_map": {"x": "a""#,
    ])
    func refusesOtherIndexes(_ index: String) throws {
        guard case .badJSON = checkpointError({ try store(index: index) }) else {
            Issue.record("\(index)")
            return
        }
    }
}
