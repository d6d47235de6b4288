import Tensor
import Testing
import _TestSupport

/// AdamW with moments in 8 bits: maps, codes and steps.
@Suite struct MomentCodesTests {
    /// Sizes around a block, around a chunk of the threads' work, and others.
    private static let counts = [0, 1, 15, 16, 17, 255, 256, 257, 511, 5000, 65_536, 65_537, 140_001]

    private static func step(_ number: Int, beta1: Float = 0.9, beta2: Float = 0.95, weightDecay: Float = 0, scale: Float = 1) -> AdamStep {
        AdamStep(
            learningRate: 0.01 / Float(number), beta1: beta1, beta2: beta2, epsilon: 1e-8, weightDecay: weightDecay, number: number,
            gradientScale: scale)
    }

    /// A step without memory of earlier ones: the first moment is the gradient, and the second its square.
    private static var forgetful: AdamStep { step(1, beta1: 0, beta2: 0) }

    private static func zeros(_ count: Int) -> (first: MomentCodes, second: MomentCodes) {
        (MomentCodes(zeros: [count], in: .signed), MomentCodes(zeros: [count], in: .unsigned))
    }

    private static func normal(_ name: String, _ count: Int) -> Tensor { OpCase.Input.normal(name, [count]).tensor }

    @Test("the maps are those of bitsandbytes", arguments: [true, false])
    func maps(isSigned: Bool) throws {
        struct File: Decodable { let maps: [String: [Double]] }
        let expected = try Fixtures.json(File.self, from: "optimisers/optimisers.json").maps[isSigned ? "signed" : "unsigned"]
        let map = isSigned ? DynamicMap.signed : .unsigned
        expectClose(map.values, try #require(expected), relative: 2e-7, absolute: 0)
        #expect(map.values == map.values.sorted() && Set(map.values).count == 256 && map.values.contains(0) && map.values.last == 1)
    }

    @Test("the nearest number has the code, and the lower one of two", arguments: [true, false])
    func nearest(isSigned: Bool) {
        let map = isSigned ? DynamicMap.signed : .unsigned
        for (code, number) in map.values.enumerated() {
            #expect(map.code(nearest: number) == code)
            #expect(map.code(nearest: map.bounds[code]) == code && map.code(nearest: map.bounds[code].nextUp) == min(255, code + 1))
        }
        for number in Self.normal("numbers", 2000).values + [0, -0, 1e-30, -1e-30, 1, -1] {
            #expect(Int(map.code(nearest: number)) == Naive.nearest(Double(number), in: map.values), "\(number)")
        }
    }

    @Test("the kernels give every number the code of the nearest")
    func kernelCodes() {
        // what is at and beside every bound, and numbers of all sizes; 1 is the largest of every block
        var numbers = DynamicMap.signed.bounds.filter { abs($0) < 1 }.flatMap { [$0.nextDown, $0, $0.nextUp] } + DynamicMap.signed.values
        numbers += Self.normal("numbers", 4000).values.enumerated().map { index, x in
            max(-1, min(1, x)) * [1, 0.1, 1e-3, 1e-5, 1e-7, 1e-20, 1e-40][index % 7]
        }
        for start in stride(from: 0, to: numbers.count, by: 256) { numbers[start] = start % 512 == 0 ? 1 : -1 }
        let gradient = Tensor(numbers, shape: [numbers.count])
        onEveryBuild { label, _ in
            var (value, (first, second)) = (Tensor.zeros(gradient.shape), Self.zeros(numbers.count))
            Self.forgetful.apply(gradient: gradient, to: &value, first: &first, second: &second)
            #expect(first.withScales { $0.allSatisfy { $0 == 1 } } && second.withScales { $0.allSatisfy { $0 == 1 } }, "\(label)")
            let expected = numbers.map { DynamicMap.signed.code(nearest: $0) }
            #expect(first.withCodes(Array.init) == expected, "\(label)")
            let squares = numbers.map { x in x * x > 0 ? max(1, DynamicMap.unsigned.code(nearest: x * x)) : 0 }
            #expect(second.withCodes(Array.init) == squares, "\(label)")
            // without memory, a step is the learning rate against the sign
            for (x, value) in zip(numbers, value.values) where abs(x) > 1e-3 {
                #expect(isClose(Double(value), x > 0 ? -0.01 : 0.01, 1e-6), "\(x), \(label)")
            }
        }
    }

    @Test("a block is relative to its largest absolute number; one of zeros has the scale 0")
    func scales() {
        var numbers = [Float](repeating: 0, count: 700)
        (numbers[3], numbers[200], numbers[699]) = (0.25, -4, 1e-25)
        onEveryBuild { label, _ in
            var (value, (first, second)) = (Tensor.zeros([700]), Self.zeros(700))
            let gradient = Tensor(numbers, shape: [700])
            Self.forgetful.apply(gradient: gradient, to: &value, first: &first, second: &second)
            #expect(first.withScales(Array.init) == [4, 0, 1e-25] && second.withScales(Array.init) == [16, 0, 0], "\(label)")
            let found = first.values(in: .signed)
            #expect(isClose(Double(found[3]), 0.25, 0.01) && isClose(Double(found[200]), -4, 0.04) && found[699] == 1e-25, "\(label)")
            #expect(found.indices.allSatisfy { found[$0] == 0 || numbers[$0] != 0 }, "\(label)")
            #expect(second.values(in: .unsigned)[200] == 16, "\(label)")
        }
    }

    @Test("steps equal the formulas in Double, and moments are rounded to the nearest code", arguments: counts)
    func formulas(count: Int) {
        onEveryBuild { label, threads in
            guard count < 60_000 || threads < 3 else { return }
            var (value, (first, second)) = (Self.normal("value", count), Self.zeros(count))
            for number in 1...3 {
                let step = Self.step(number, weightDecay: 0.1, scale: 0.25)
                let gradient = Self.normal("gradient \(number)", count)
                var values = value.values.map(Double.init)
                var firsts = first.values(in: .signed).map(Double.init)
                var seconds = second.values(in: .unsigned).map(Double.init)
                step.apply(gradient: gradient, to: &value, first: &first, second: &second)
                for (index, g) in gradient.values.enumerated() {
                    Naive.adam(step, gradient: Double(g), value: &values[index], first: &firsts[index], second: &seconds[index])
                }
                expectClose(value.values, values, relative: 2e-6, absolute: 2e-7, label: label)
                #expect(Naive.misplaced(first, of: firsts, in: .signed) == 0, "\(label)")
                #expect(Naive.misplaced(second, of: seconds, in: .unsigned) == 0, "\(label)")
            }
        }
    }

    /// A tiny second moment would otherwise be 0, and the next step divide a first moment that is left over by epsilon.
    @Test("a gradient that stays away leaves no huge step")
    func positiveSecondMoments() {
        onEveryBuild { label, _ in
            var (value, (first, second)) = (Tensor.zeros([2]), Self.zeros(2))
            Self.step(1).apply(gradient: Tensor([1, 1e-4], shape: [2]), to: &value, first: &first, second: &second)
            #expect(second.withCodes(Array.init) == [255, 1], "\(label)")
            for number in 2...20 {
                let before = value.values[1]
                Self.step(number).apply(gradient: Tensor([1, 0], shape: [2]), to: &value, first: &first, second: &second)
                #expect(abs(value.values[1] - before) < 0.01, "step \(number), \(label)")
            }
        }
    }

    @Test("moments that are infinite stay in memory, and weights stay numbers")
    func infiniteMoments() {
        onEveryBuild { label, _ in
            var (value, (first, second)) = (Tensor.zeros([300]), Self.zeros(300))
            let gradient = Tensor((0..<300).map { $0 % 7 == 0 ? 3e38 : -1 }, shape: [300])
            for number in 1...3 { Self.step(number).apply(gradient: gradient, to: &value, first: &first, second: &second) }
            #expect(value.values.allSatisfy(\.isFinite) && second.withScales { $0.allSatisfy(\.isFinite) }, "\(label)")
        }
    }

    @Test("memory beside the given numbers is not touched")
    func extents() {
        let (count, room) = (300, 1024)
        onEveryBuild { label, _ in
            var (value, gradient) = ([Float](repeating: 7, count: room), [Float](repeating: .nan, count: room))
            var (first, second) = ([UInt8](repeating: 9, count: room), [UInt8](repeating: 9, count: room))
            var (firstScales, secondScales): ([Float], [Float]) = ([0, 0, 5, 5], [0, 0, 5, 5])
            for index in 0..<count { gradient[index] = Float(index + 1) }
            var settings = Kernels.AdamSettings()
            (settings.learning_rate, settings.correction1, settings.correction2, settings.gradient_scale) = (1, 1, 1, 1)
            withUnsafePointer(to: DynamicMap.signed.table) { signed in
                withUnsafePointer(to: DynamicMap.unsigned.table) { unsigned in
                    Kernels.current.pointee.adam8(
                        count, &settings, signed, unsigned, gradient, &value, &first, &firstScales, &second, &secondScales)
                }
            }
            #expect(value[count...].allSatisfy { $0 == 7 } && value[..<count].allSatisfy(\.isFinite), "\(label)")
            #expect(first[count...].allSatisfy { $0 == 9 } && second[count...].allSatisfy { $0 == 9 }, "\(label)")
            #expect(firstScales == [256, 300, 5, 5] && secondScales == [65_536, 90_000, 5, 5], "\(label)")
        }
    }

    @Test func sharedCodesAreCopiedFirst() {
        let start = Tensor([1, 2], shape: [2])
        let (zeroFirst, zeroSecond) = Self.zeros(2)
        var (value, first, second) = (start, zeroFirst, zeroSecond)
        Self.step(1).apply(gradient: start, to: &value, first: &first, second: &second)
        #expect(zeroFirst.isIdentical(to: Self.zeros(2).first) && zeroSecond.isIdentical(to: Self.zeros(2).second))
        #expect(!first.isIdentical(to: zeroFirst) && !second.isIdentical(to: zeroSecond) && start.values == [1, 2])
        // a copy that is alone goes on in its own memory
        let address = first.withCodes { $0.baseAddress }
        Self.step(2).apply(gradient: start, to: &value, first: &first, second: &second)
        #expect(first.withCodes { $0.baseAddress } == address)
    }

    @Test func threadsDoNotChangeTheBits() {
        func run() -> (value: Tensor, first: MomentCodes, second: MomentCodes) {
            var (value, (first, second)) = (Self.normal("value", 200_000), Self.zeros(200_000))
            for number in 1...2 {
                let gradient = Self.normal("gradient \(number)", 200_000)
                Self.step(number, weightDecay: 0.1, scale: 0.5).apply(gradient: gradient, to: &value, first: &first, second: &second)
            }
            return (value, first, second)
        }
        for level in Kernels.available {
            let one = Kernels.$level.withValue(level) { Compute.$threads.withValue(1, operation: run) }
            for threads in [2, 3, 7] {
                let more = Kernels.$level.withValue(level) { Compute.$threads.withValue(threads, operation: run) }
                #expect(more.value.isIdentical(to: one.value), "\(level), threads: \(threads)")
                #expect(more.first.isIdentical(to: one.first) && more.second.isIdentical(to: one.second), "\(level), threads: \(threads)")
            }
        }
    }

    @Test("codes that are stored come back; those that do not fit are refused")
    func storing() {
        var (value, (first, second)) = (Self.normal("value", 700), Self.zeros(700))
        Self.step(1).apply(gradient: Self.normal("gradient", 700), to: &value, first: &first, second: &second)
        let scales = first.withScales(Array.init)
        func read(_ count: Int, _ scales: [Float]) -> MomentCodes? {
            first.withCodes { MomentCodes(shape: [count], codes: $0, scales: scales) }
        }
        #expect(read(700, scales)?.isIdentical(to: first) == true)
        #expect(read(699, scales) == nil && read(700, Array(scales.dropLast())) == nil)
        #expect(read(700, [1, 2, -1]) == nil && read(700, [1, .nan, 1]) == nil && read(700, [.infinity, 1, 1]) == nil)
        #expect(MomentCodes.byteCount(of: 1_000_000) < 1_200_000 && MomentCodes.byteCount(of: 1_000_000) >= 1_015_625)
    }
}
