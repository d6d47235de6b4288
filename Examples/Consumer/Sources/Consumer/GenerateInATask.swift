import Foundation
import TextGeneration

/// A model cannot be shared between threads; it is transferred to the task that uses it.
func generateInATask(_ model: TextModel) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("consumer-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try model.save(to: folder)

    let own = try TextModel.load(folder)
    let writing = Task { try own.generate("once", maxNewTokens: 4, temperature: 0).text }
    let here = try model.generate("once", maxNewTokens: 4, temperature: 0).text
    let there = try await writing.value
    precondition(there == here)
}
