import Foundation
import Testing

extension TinyPipeline {
    /// `train-sft` once more: it must end well, with the bytes of the unbroken run.
    /// - Returns: what it wrote to standard error.
    @discardableResult
    func expectRecovery(of expected: [String: Data], _ output: String, extra: [String] = [], _ label: String) throws -> String {
        let end = try start("train-sft", output: output, extra: extra).wait()
        #expect(end.status == 0, "\(label): \(end.errors)")
        let found = try results("\(output)/sft")
        #expect(found.keys.sorted() == expected.keys.sorted(), "\(label)")
        for (name, content) in expected { #expect(found[name] == content, "\(label): \(name) differs") }
        return end.errors
    }
}
