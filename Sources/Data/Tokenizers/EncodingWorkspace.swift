import Synchronization

/// The arrays and the word cache of one encoding at a time.
///
/// Unchecked: the pool hands a workspace to one caller and takes it back before another can have it.
final class EncodingWorkspace: @unchecked Sendable {
    var text = NormalizedText()
    var pieces = Pieces()
    var scratch = TokenModel.Scratch()
    var cache = WordCache()
}

/// Workspaces that are not in use. Encodings may run at the same time: each takes its own.
final class EncodingWorkspacePool: Sendable {
    private let free = Mutex<[EncodingWorkspace]>([])

    func withWorkspace<Result>(_ body: (EncodingWorkspace) -> Result) -> Result {
        let workspace = free.withLock { $0.popLast() } ?? EncodingWorkspace()
        defer { free.withLock { $0.append(workspace) } }
        return body(workspace)
    }
}
