internal import Formats
internal import Foundation

/// Parses the response of an embedding service: `{"data": [{"index", "embedding"}]}`.
enum EmbeddingAnswer {
    /// An error in a response. Its description contains only counts, indices and field names of the response.
    struct Problem: Error, Equatable, CustomStringConvertible {
        var description: String
    }

    /// The vectors in the order of the texts, regardless of their order in the response.
    /// - Throws: ``Problem``.
    static func vectors(in body: [UInt8], count: Int) throws(Problem) -> [[Float]] {
        guard body.contains(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else { throw Problem(description: "it is empty") }
        let answer: Answer
        do {
            answer = try JSONDecoder().decode(Answer.self, from: Foundation.Data(body))
        } catch DecodingError.dataCorrupted(let context) where context.codingPath.isEmpty {
            // the decoder reports a number out of range in the same way as invalid JSON
            let isJSON = (try? JSONDecoder().decode(Anything.self, from: Foundation.Data(body))) != nil
            throw Problem(description: isJSON ? "a number is out of range; expected \(shape)" : "it is not JSON")
        } catch DecodingError.dataCorrupted(let context), DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(
            _, let context)
        {
            throw Problem(description: "\(place(context.codingPath)) has a wrong type or value; expected \(shape)")
        } catch {
            throw Problem(description: "expected \(shape)")
        }
        guard answer.data.count == count else {
            throw Problem(description: "it has \(Counted(answer.data.count, "vector")) for \(Counted(count, "text"))")
        }
        var vectors = [[Float]?](repeating: nil, count: count)
        for item in answer.data {
            guard vectors.indices.contains(item.index) else {
                throw Problem(description: "index \(item.index) is out of range for \(Counted(count, "text"))")
            }
            guard vectors[item.index] == nil else { throw Problem(description: "index \(item.index) appears twice") }
            guard !item.embedding.isEmpty else { throw Problem(description: "the vector with index \(item.index) is empty") }
            guard item.embedding.allSatisfy(\.isFinite) else {
                throw Problem(description: "the vector with index \(item.index) has a value that is NaN or Inf")
            }
            vectors[item.index] = item.embedding
        }
        return vectors.compactMap { $0 }
    }

    private static let shape = "{\"data\": [{\"index\", \"embedding\"}]} with finite numbers"

    /// The path of a value, such as `data[3].embedding[0]`.
    private static func place(_ path: [any CodingKey]) -> String {
        path.isEmpty
            ? "the response"
            : path.reduce("") { text, key in
                key.intValue.map { "\(text)[\($0)]" } ?? (text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)")
            }
    }

    /// Accepts any JSON value.
    private struct Anything: Decodable {
        init(from decoder: any Decoder) {}
    }

    private struct Answer: Decodable {
        struct Item: Decodable {
            var index: Int
            var embedding: [Float]
        }
        var data: [Item]
    }
}
