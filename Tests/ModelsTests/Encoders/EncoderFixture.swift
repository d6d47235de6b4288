import Foundation
import Models
import _TestSupport

/// A tiny encoder of Tests/Fixtures/encoders with what PyTorch computes with it; see make_encoders.py there.
struct EncoderFixture {
    struct Expectations: Decodable {
        struct Pair: Decodable {
            let ids: [Int32]
            let types: [Int32]
        }
        let ids: [[Int32]]
        let pairs: [Pair]
        let probabilities: [[Double]]
    }

    static let all = ["bert", "roberta"]

    let folder: URL
    let expected: Expectations
    let tensors: [String: FixtureTensor]

    init(_ name: String) throws {
        folder = Fixtures.url("encoders/\(name)")
        expected = try Fixtures.json(Expectations.self, from: "encoders/\(name)/expected.json")
        tensors = try Fixtures.safetensors("encoders/\(name)/expected.safetensors")
    }

    var texts: [EncoderInput] { expected.ids.map { EncoderInput(ids: $0) } }
    var pairs: [EncoderInput] { expected.pairs.map { EncoderInput(ids: $0.ids, types: $0.types) } }
}
