import Formats
import Models
import Tensor
import Testing
import _TestSupport

/// Frequencies that Transformers 5.23 computes for the same settings.
@Suite struct RotaryTests {
    @Test func plain() {
        expectClose(RotarySettings().frequencies(dim: 8, length: 512), [1, 0.1, 0.01, 0.001], relative: 1e-12)
    }

    @Test func linear() {
        let settings = RotarySettings(scaling: .linear(factor: 4))
        expectClose(settings.frequencies(dim: 8, length: 512), [0.25, 0.025, 0.0025, 0.00025], relative: 1e-6)
    }

    /// Twice the trained length stretches the base, up to the trained length nothing changes.
    @Test func dynamic() {
        let settings = RotarySettings(scaling: .dynamic(factor: 2, trainedLength: 2048))
        expectClose(
            settings.frequencies(dim: 8, length: 4096), [1, 0.0693361238, 0.00480749831, 0.00033333333], relative: 1e-6)
        expectClose(settings.frequencies(dim: 8, length: 2048), [1, 0.1, 0.01, 0.001], relative: 1e-12)
        expectClose(settings.frequencies(dim: 8, length: 5), [1, 0.1, 0.01, 0.001], relative: 1e-12)
    }

    /// The settings of LLaMA 3.1: some frequencies kept, some blended, some divided.
    @Test func llama3() {
        let settings = RotarySettings(
            base: 500_000,
            scaling: .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, trainedLength: 8192))
        let frequencies = settings.frequencies(dim: 128, length: 131_072)
        expectClose(
            [0, 1, 5, 9, 15, 20, 28, 63].map { frequencies[$0] },
            [
                1, 0.814617217, 0.358730227, 0.157972813, 0.0461640507, 0.0165604409, 0.00321144611, 3.06892588e-07,
            ], relative: 1e-6, absolute: 0)
        let small = RotarySettings(
            base: 500, scaling: .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, trainedLength: 64))
        expectClose(
            small.frequencies(dim: 16, length: 256),
            [
                1, 0.459863275, 0.0976166278, 0.0121561559, 0.00559017016, 0.0025707141, 0.00118217699, 0.000543639821,
            ], relative: 1e-6, absolute: 0)
    }

    /// The spellings of Transformers 4 and 5.
    @Test func configurations() throws {
        func rope(_ json: String) throws -> RotarySettings {
            let text = """
                {"vocab_size": 8, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1,
                 "num_attention_heads": 1, "max_position_embeddings": 64, \(json)}
                """
            return try LlamaConfiguration(
                reading: ConfigurationReader(JSONValue(parsing: Array(text.utf8), file: "config.json"))
            ).rope
        }
        #expect(try rope(#""rope_theta": 500.0"#) == RotarySettings(base: 500))
        #expect(try rope(#""rope_scaling": null"#) == RotarySettings())
        #expect(try rope(#""rope_parameters": {"rope_theta": 700.0, "rope_type": "default"}"#) == RotarySettings(base: 700))
        #expect(
            try rope(#""rope_theta": 9.0, "rope_scaling": {"type": "linear", "factor": 2}"#)
                == RotarySettings(base: 9, scaling: .linear(factor: 2)))
        // what the positions were trained to is max_position_embeddings, whatever else stands there
        #expect(
            try rope(#""rope_scaling": {"rope_type": "dynamic", "factor": 2, "original_max_position_embeddings": 16}"#)
                == RotarySettings(scaling: .dynamic(factor: 2, trainedLength: 64)))
        #expect(
            try rope(
                #""rope_parameters": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "#
                    + #""original_max_position_embeddings": 32, "rope_theta": 5}"#)
                == RotarySettings(
                    base: 5, scaling: .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, trainedLength: 32)))
        #expect(throws: ModelError.unsupported("rope scaling of type 'mystery'")) {
            try rope(#""rope_scaling": {"rope_type": "mystery", "factor": 8.0}"#)
        }
        // where a file has both spellings, the older one counts
        #expect(
            try rope(#""rope_parameters": {"rope_theta": 700.0}, "rope_scaling": {"rope_type": "linear", "factor": 2}, "rope_theta": 8"#)
                == RotarySettings(base: 8, scaling: .linear(factor: 2)))
        #expect(throws: ModelError.self) { try rope(#""rope_scaling": {"rope_type": "linear"}"#) }
        #expect(throws: ModelError.self) { try rope(#""rope_theta": 0"#) }
    }
}
