import Testing
import Train

/// The error that a test throws on one rank.
struct DiskFull: Error, CustomStringConvertible { var description: String { "no space left" } }

/// Expects that one rank ended with ``DiskFull``, and that the others name it.
func expectDiskFull<Value>(
    onRank failed: Int, _ results: [Result<Value, any Error>], sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(results.indices.contains(failed), sourceLocation: sourceLocation)
    for (rank, result) in results.enumerated() {
        if rank == failed {
            #expect(throws: DiskFull.self, sourceLocation: sourceLocation) { try result.get() }
        } else {
            let error = CollectiveError.rankFailed(rank: failed, message: "no space left")
            #expect(throws: error, sourceLocation: sourceLocation) { try result.get() }
        }
    }
}
