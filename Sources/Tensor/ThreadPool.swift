/// How many threads the operations of a scope use.
///
/// There is one pool of worker threads in the process (in CKernels); it has no other setting than this number, which is carried by
/// the task and not by a global variable:
///
///     Compute.$threads.withValue(1) { … }       // everything inside runs on the calling thread
public enum Compute {
    /// The number of threads, every processor of this machine unless set.
    @TaskLocal public static var threads: Int = Kernels.processorCount

    /// What products with weight matrices multiply: 32-bit floats unless set.
    @TaskLocal public static var precision: Precision = .f32

    /// Calls `body` for every index below `count`, spread over the threads of this scope, and returns when all are done.
    ///
    /// Indices run in no defined order; results are placed by index, so they do not depend on the order. `body` must be safe to call
    /// from several threads at once.
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

    /// Splits `count` items into chunks of at most `grain` and calls `body` with each range. The chunks depend on `grain` alone, never
    /// on the number of threads, so sums that are made chunk by chunk have the same bits for any number of threads.
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

    /// Like ``forChunks(_:grain:_:)`` for rows of `width` numbers: about 32 thousand numbers a chunk.
    package static func forRows(_ rows: Int, width: Int, _ body: (Range<Int>) -> Void) {
        forChunks(rows, grain: max(1, 32_768 / max(1, width)), body)
    }
}
