import Synchronization

/// The arrays and the word cache for one encoding at a time.
///
/// `@unchecked Sendable` is safe because the pool gives a workspace to only one caller at a time.
final class EncodingWorkspace: @unchecked Sendable {
    var text = NormalizedText()
    var pieces = Pieces()
    var scratch = TokenModel.Scratch()
    var cache = WordCache()
}

/// The workspaces that are not in use. Encodings can run concurrently; each takes its own workspace.
final class EncodingWorkspacePool: Sendable {
    private let free = Mutex<[EncodingWorkspace]>([])

    /// Runs `body` with a workspace that no one else uses.
    func withWorkspace<Result>(_ body: (EncodingWorkspace) -> Result) -> Result {
        let workspace = free.withLock { $0.popLast() } ?? EncodingWorkspace()
        defer { free.withLock { $0.append(workspace) } }
        return body(workspace)
    }
}
