import Data
import Foundation

/// Files under Tests/Fixtures/tokenizers, and what the reference libraries made of the strings there.
enum TokenizerFixture {
    static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let folder = repository.appendingPathComponent("Tests/Fixtures/tokenizers")
    /// Files of real tokenizers, which are not part of the project.
    static let real = repository.deletingLastPathComponent().appendingPathComponent("shared/data/tokenizers")

    /// Parallel to `strings()`; see make_tokenizers.py.
    struct Expected: Decodable {
        var ids: [[Int32]]
        var prefix: [Int32]
        var suffix: [Int32]
        var text: [String?]
        var plain: [String?]
        var wrapped: String
    }

    static func strings() throws -> [String] {
        try decoded([String].self, "strings.json")
    }

    static func decoded<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> Value {
        try JSONDecoder().decode(type, from: Foundation.Data(contentsOf: folder.appendingPathComponent(path)))
    }

    /// The files of a kind's folder, by name.
    static func files(_ kind: String) throws -> [String: [UInt8]] {
        let folder = folder.appendingPathComponent(kind)
        var files: [String: [UInt8]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name != "expected.json" {
            files[name] = [UInt8](try Foundation.Data(contentsOf: folder.appendingPathComponent(name)))
        }
        return files
    }
}

extension String {
    /// Equality of scalars: `==` would take canonically equivalent texts for equal.
    func isIdentical(to other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
