/// The number of threads and the matmul precision of the operations in a scope.
///
/// The process has one pool of worker threads (in CKernels). Its only setting is the number of threads, which is task-local and
/// not a global variable:
///
///     Compute.$threads.withValue(1) { … }       // everything inside runs on the calling thread
public enum Compute {
    /// The number of threads. Default: the number of processors that this process may use.
    @TaskLocal public static var threads: Int = Kernels.processorCount

    /// The precision of products with weight matrices. Default: 32-bit floats.
    @TaskLocal public static var precision: Precision = .f32

    /// Calls `body` for every index below `count`, distributed over the threads of this scope, and returns when all calls are
    /// done.
    ///
    /// The order of the calls is undefined. Store results by index, so that they do not depend on the order. `body` must be safe
    /// to call from several threads at once.
    package static func forEach(_ count: Int, _ body: (Int) -> Void) {
        let threads = Self.threads
        if threads <= 1 || count <= 1 {
            for index in 0..<count { body(index) }
            return
        }
        withoutActuallyEscaping(body) { body in
            var call = Call(body: body)
            withUnsafeMutablePointer(to: &call) {
                Kernels.parallel(threads: threads, count: count, context: UnsafeMutableRawPointer($0)) { context, index in
                    context?.assumingMemoryBound(to: Call.self).pointee.body(index)
                }
            }
        }
    }

    private struct Call { let body: (Int) -> Void }

    /// Splits `count` items into chunks of at most `grain` and calls `body` with each range. The chunks depend on `grain` alone
    /// and not on the number of threads, so sums that are computed chunk by chunk have the same bits for any number of threads.
    package static func forChunks(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
        let grain = max(1, grain)
        if count <= grain {
            if count > 0 { body(0..<count) }
            return
        }
        forEach((count + grain - 1) / grain) { chunk in
            body(chunk * grain..<min(count, (chunk + 1) * grain))
        }
    }

    /// Like ``forChunks(_:grain:_:)`` for rows of `width` elements: about 32,768 elements per chunk.
    package static func forRows(_ rows: Int, width: Int, _ body: (Range<Int>) -> Void) {
        forChunks(rows, grain: max(1, 32_768 / max(1, width)), body)
    }
}
