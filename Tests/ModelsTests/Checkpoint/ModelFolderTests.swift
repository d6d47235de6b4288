import Formats
import Foundation
import Models
import Testing
import _TestSupport

struct ModelFolderTests {
    static let models = ModelFixture.all

    /// Every model of the fixtures goes through us and comes out as it was, configuration included.
    @Test(arguments: models)
    func aModelGoesInAndOut(_ name: String) throws {
        let original = ModelFolder(Fixtures.url("models/\(name)"))
        let configuration = try original.configuration()
        let store = try original.weights()
        try withTemporaryFolder { parent in
            let url = parent.appendingPathComponent("copy")
            let copy = try ModelFolder.save(
                to: url, configuration: configuration,
                tensors: store.names.map { WritableTensor(try store.tensor($0)) },
                writer: SafetensorsWriter(shardLimit: 10_000))
            #expect(
                try bytes(of: url.appendingPathComponent("config.json"))
                    == bytes(of: original.url.appendingPathComponent("config.json")))
            let weights = try copy.weights()
            #expect(weights.layout == .shardedSafetensors)
            #expect(weights.names == store.names)
            for tensor in store.names {
                #expect(try weights.floats(of: tensor, shape: store.shape(of: tensor)) == store.floats(of: tensor))
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: parent.path) == ["copy"])
            #expect(try copy.generationConfiguration() == nil)
        }
    }

    /// The expectations of each model cover its tensors.
    @Test(arguments: models)
    func expectationsFitTheModel(_ name: String) throws {
        let store = try WeightStore(folder: Fixtures.url("models/\(name)"))
        let expected = try SafetensorsFile(Fixtures.url("models/\(name)/expected.safetensors"))
        let document = try JSONValue(contentsOf: Fixtures.url("models/\(name)/expected.json"))
        let parameters = try #require(document["parameters"]?.array).compactMap(\.string)
        #expect(Set(parameters) == Set(store.names.filter { !$0.hasPrefix("v_head.") }))
        for parameter in parameters {
            #expect(try expected.tensor("gradients.\(parameter)").shape == store.shape(of: parameter))
        }
        #expect(try expected.floats(of: "reward.gradients.v_head.linear.weight").contains { $0 != 0 })
        let vocabulary = try #require(ModelFolder(Fixtures.url("models/\(name)")).configuration()["vocab_size"]?.int)
        for (index, sequence) in try #require(document["sequences"]?.array).enumerated() {
            let length = try #require(sequence["tokens"]?.array).count
            #expect(try expected.tensor("logits.\(index)").shape == [length, vocabulary])
        }
    }

    @Test func carriesTokenizerFilesAndGenerationDefaults() throws {
        try withTemporaryFolder { parent in
            let source = parent.appendingPathComponent("source")
            try FileManager.default.createDirectory(at: source, withIntermediateDirectories: true)
            for name in ["tokenizer.json", "merges.txt", "secret.env", "config.json"] {
                try Data(name.utf8).write(to: source.appendingPathComponent(name))
            }
            let target = parent.appendingPathComponent("target")
            let folder = try ModelFolder.save(
                to: target, configuration: ["model_type": "llama"], generationConfiguration: ["eos_token_id": 2],
                tensors: [WritableTensor("w", shape: [1], values: [1])], tokenizer: ModelFolder(source),
                extras: { try Data().write(to: $0.appendingPathComponent("README.md")) })
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: target.path).sorted() == [
                    "README.md", "config.json", "generation_config.json", "merges.txt", "model.safetensors",
                    "tokenizer.json",
                ])
            #expect(try bytes(of: target.appendingPathComponent("merges.txt")) == Array("merges.txt".utf8))
            #expect(try folder.generationConfiguration()?["eos_token_id"]?.int == 2)
            #expect(try folder.tokenizerFiles.map(\.lastPathComponent) == ["tokenizer.json", "merges.txt"])

            // Saving into itself keeps what it has and replaces the weights.
            try ModelFolder.save(
                to: target, configuration: folder.configuration(),
                tensors: [WritableTensor("w", shape: [1], values: [2])], tokenizer: folder)
            #expect(try folder.weights().floats(of: "w") == [2])
            #expect(try FileManager.default.contentsOfDirectory(atPath: target.path).count == 6)
        }
    }

    @Test func aFailedSaveLeavesNothing() throws {
        struct Failure: Error {}
        try withTemporaryFolder { parent in
            let target = parent.appendingPathComponent("target")
            #expect(throws: Failure.self) {
                try ModelFolder.save(
                    to: target, configuration: [:], tensors: [WritableTensor("w", shape: [1]) { throw Failure() }])
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: parent.path)
            #expect(left.isEmpty, "nothing is left behind")
        }
    }

    @Test func refusesConfigurationsThatAreNoObjects() throws {
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("config.json")
            try Data("[1]".utf8).write(to: file)
            #expect(
                checkpointError { try ModelFolder(folder).configuration() }
                    == .badFormat(file: file.path, reason: "expected a JSON object"))
            try FileManager.default.removeItem(at: file)
            guard case .unreadable = checkpointError({ try ModelFolder(folder).configuration() }) else {
                Issue.record("a missing file")
                return
            }
        }
    }
}
