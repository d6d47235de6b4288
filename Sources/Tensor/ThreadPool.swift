/// The number of threads and the matmul precision of the operations in a scope.
///
/// The process has one pool of worker threads (in CKernels). Its only setting is the number of threads, which is task-local and
/// not a global variable:
///
///     Compute.$threads.withValue(1) { … }       // everything inside runs on the calling thread
public enum Compute {
    /// The number of threads. Default: the number of processors that this process may use.
    @TaskLocal public static var threads: Int = Kernels.processorCount

    /// The precision of products with weight matrices and, on processors with instructions for bfloat16, of attention. Default:
    /// 32-bit floats.
    @TaskLocal public static var precision: Precision = .f32

    /// Calls `body` for every index below `count`, distributed over the threads of this scope, and returns when all calls are
    /// done.
    ///
    /// The order of the calls is undefined. Store results by index, so that they do not depend on the order. `body` must be safe
    /// to call from several threads at once. `function` and `file` name the operation in profiles.
    package static func forEach(
        _ count: Int, function: StaticString = #function, file: StaticString = #fileID, _ body: (Int) -> Void
    ) {
        guard let profile else { return run(count, body) }
        profile.begin(ComputeProfile.name(function, file))
        run(count, body)
        profile.end()
    }

    private static func run(_ count: Int, _ body: (Int) -> Void) {
        let (threads, peak) = (Self.threads, PeakCount.current)
        if threads <= 1 || count <= 1 || peak?.isCall == true {
            for index in 0..<count { body(index) }
            return
        }
        let level = Kernels.level
        if level == nil, peak == nil { return distribute(count, threads, body) }
        let calls = peak?.calls(count)
        // task-local values have their defaults on the other threads
        distribute(count, threads) { index in
            Kernels.$level.withValue(level) {
                PeakCount.$current.withValue(calls?[index]) { body(index) }
            }
        }
        if let calls { peak?.add(calls, threads: threads) }
    }

    private static func distribute(_ count: Int, _ threads: Int, _ body: (Int) -> Void) {
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
    package static func forChunks(
        _ count: Int, grain: Int, function: StaticString = #function, file: StaticString = #fileID, _ body: (Range<Int>) -> Void
    ) {
        let grain = max(1, min(grain, count))
        forEach((count + grain - 1) / grain, function: function, file: file) { chunk in
            body(chunk * grain..<min(count, (chunk + 1) * grain))
        }
    }

    /// The results of `body` for every index below `count`, in order, computed on the threads of this scope.
    ///
    /// `body` must be safe to call from several threads at once. Task-local values have their defaults in it, except the instruction
    /// set of the kernels.
    /// - Throws: the error of the lowest index whose call throws. All calls are made in any case, so the error does not depend on
    ///   the number of threads.
    package static func map<Value, Failure: Error>(
        _ count: Int, function: StaticString = #function, file: StaticString = #fileID, _ body: (Int) throws(Failure) -> Value
    ) throws(Failure) -> [Value] {
        var results = [Result<Value, Failure>?](repeating: nil, count: count)
        results.withUnsafeMutableBufferPointer { results in
            // each call writes its own element
            nonisolated(unsafe) let results = results
            forEach(count, function: function, file: file) { index in
                do throws(Failure) { results[index] = .success(try body(index)) } catch { results[index] = .failure(error) }
            }
        }
        var values: [Value] = []
        values.reserveCapacity(count)
        for case let result? in results { values.append(try result.get()) }
        return values
    }

    /// Cuts `items` into parts of at most `grain` and returns the results of `body` for each part, in order; see ``map(_:_:)``. No
    /// part is empty.
    package static func mapParts<Item, Value, Failure: Error>(
        of items: [Item], grain: Int, function: StaticString = #function, file: StaticString = #fileID,
        _ body: ([Item]) throws(Failure) -> Value
    ) throws(Failure) -> [Value] {
        let grain = max(1, min(grain, items.count))
        return try map((items.count + grain - 1) / grain, function: function, file: file) { part throws(Failure) in
            try body(Array(items[part * grain..<min(items.count, (part + 1) * grain)]))
        }
    }

    /// Sets `count` floats to 0.
    static func clear(_ floats: UnsafeMutablePointer<Float>, count: Int) {
        forChunks(count, grain: 262_144) { (floats + $0.lowerBound).update(repeating: 0, count: $0.count) }
    }

    /// Like ``forChunks(_:grain:_:)`` for rows of `width` elements: about 32,768 elements per chunk.
    package static func forRows(
        _ rows: Int, width: Int, function: StaticString = #function, file: StaticString = #fileID, _ body: (Range<Int>) -> Void
    ) {
        forChunks(rows, grain: max(1, 32_768 / max(1, width)), function: function, file: file, body)
    }
}
