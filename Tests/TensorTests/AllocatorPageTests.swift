import Foundation
import Tensor
import Testing

/// What the system counts. Each test is a process of its own, where nothing else takes pages.
@Suite struct AllocatorPageTests {
    @Test("a step of ragged sizes that has been taken before asks the system for nothing more")
    func repeatedSteps() async {
        await #expect(processExitsWith: .success) {
            for reservedBytes in [nil, 0] as [Int?] {
                let allocator = Allocator(reservedBytes: reservedBytes)
                var generator = Philox(seed: 3)
                for _ in 0..<2 { Step.take(allocator, &generator) }
                var (requested, used, faults) = (allocator.bytesRequested, 0, Step.faults)
                for _ in 0..<10 { used += Step.take(allocator, &generator) }
                (requested, faults) = (allocator.bytesRequested - requested, Step.faults - faults)
                // a few steps are larger than all before
                precondition(requested < used / 50, "\(requested) of \(used) bytes came from the system")
                // if there are no huge pages, each page is a fault
                precondition(faults < used / 4096 / 50, "\(faults) faults, with \(used) bytes")
            }
        }
    }

    @Test("free memory returns to the system, and what is in use remains")
    func releaseKept() async {
        await #expect(processExitsWith: .success) {
            guard let (addresses, first) = Step.memory else { return }
            for reservedBytes in [nil, 0] as [Int?] {
                let allocator = Allocator(reservedBytes: reservedBytes)
                let blocks = (0..<64).map { _ in allocator.allocate(byteCount: 2_000_000) }
                for (index, block) in blocks.enumerated() { memset(block.0, Int32(index), block.capacity) }
                for block in blocks.dropFirst(8) { allocator.release(block.0, capacity: block.capacity) }
                let kept = Step.memory?.resident ?? 0
                precondition(kept > first + (120 << 20), "\(first) bytes, then \(kept) with free memory")
                allocator.releaseKept()
                let rest = Step.memory ?? (0, 0)
                precondition(rest.resident < first + (24 << 20), "\(first) bytes, then \(rest) after the return")
                // without reserved addresses, these return as well
                precondition(reservedBytes == nil || rest.addresses < addresses + (24 << 20), "\(addresses) addresses, then \(rest)")
                for (index, block) in blocks.prefix(8).enumerated() {
                    precondition(block.0.load(fromByteOffset: 1_999_999, as: UInt8.self) == index)
                    allocator.release(block.0, capacity: block.capacity)
                }
                allocator.releaseKept()
                // it can be used again
                let again = allocator.allocate(byteCount: 8 << 20)
                memset(again.0, 1, again.capacity)
                allocator.release(again.0, capacity: again.capacity)
            }
        }
    }

    @Test("the resident memory stays within the bound")
    func residentMemory() async {
        await #expect(processExitsWith: .success) {
            guard let (_, first) = Step.memory else { return }
            let allocator = Allocator()
            var generator = Philox(seed: 5)
            for step in 0..<12 {
                Step.take(allocator, &generator)
                // the allocator's own lists and the program's pages are little
                let resident = (Step.memory?.resident ?? 0) - first
                let bound = Allocator.bound(peak: allocator.peakBytesInUse) + (8 << 20)
                precondition(resident <= bound, "step \(step): \(resident) bytes of \(bound)")
            }
        }
    }

    @Test("memory that the system refuses ends the process with the message", arguments: [1 << 30, 0])
    func exhaustion(reservedBytes: Int) async {
        let result = await #expect(processExitsWith: .exitCode(7), observing: [\.standardErrorContent]) {
            [reservedBytes = reservedBytes as Int] in
            let allocator = Allocator(reservedBytes: reservedBytes)
            let block = allocator.allocate(byteCount: 1 << 20)
            allocator.endsProcess { problem in
                FileHandle.standardError.write(Data(problem.utf8))
                exit(7)
            }
            _ = allocator.allocate(byteCount: 1 << 50)
            allocator.release(block.0, capacity: block.capacity)
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("cannot allocate 1125899906842624 more bytes; tensors use 1048576 bytes"), "\(text)")
    }
}

/// A step with blocks like those of training: a layer's results remain until the way back.
private enum Step {
    /// Takes a step of a random number of rows, and returns the bytes that it asked for.
    @discardableResult
    static func take(_ allocator: Allocator, _ generator: inout Philox) -> Int {
        let rows = Int.random(in: 600...1_000, using: &generator)
        var (bytes, layers) = (0, [[(UnsafeMutableRawPointer, capacity: Int)]]())
        func block(_ width: Int) -> (UnsafeMutableRawPointer, capacity: Int) {
            let block = allocator.allocate(byteCount: 4 * rows * width)
            bytes += block.capacity
            for offset in stride(from: 0, to: block.capacity, by: 4096) { block.0.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self) }
            return block
        }
        func release(_ blocks: [(UnsafeMutableRawPointer, capacity: Int)]) {
            for block in blocks { allocator.release(block.0, capacity: block.capacity) }
        }
        for _ in 0..<12 {
            let temporary = [192, 64, 64].map(block)
            layers.append([192, 192, 64, 512, 512, 192].map(block))
            release(temporary)
        }
        while let layer = layers.popLast() {
            let temporary = [512, 512].map(block)
            release(Array(layer.prefix(3)))
            let gradients = [192, 192, 64].map(block)
            release(temporary + layer.dropFirst(3) + gradients)
        }
        return bytes
    }

    /// The page faults of this process so far that needed no file.
    static var faults: Int {
        var usage = rusage()
        #if os(Linux)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #else
            getrusage(RUSAGE_SELF, &usage)
        #endif
        return Int(usage.ru_minflt)
    }

    /// The addresses and the resident memory of this process in bytes; nil where the system has no such file.
    static var memory: (addresses: Int, resident: Int)? {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").prefix(2).compactMap { Int($0) }.map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
        return pages.count == 2 ? (pages[0], pages[1]) : nil
    }
}
