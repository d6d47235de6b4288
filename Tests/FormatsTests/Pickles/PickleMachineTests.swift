import Formats
import Foundation
import Testing
import _TestSupport

/// One machine, two lists of what a pickle may ask for.
struct PickleMachineTests {
    enum List: CaseIterable {
        case tensors, arrays

        /// What is said of a pickle; nil when it was read.
        func refusal(_ pickle: [UInt8]) throws -> String? {
            do {
                switch self {
                case .tensors:
                    _ = try opening(TestArchive.torch(pickle: pickle).bytes, as: "pytorch_model.bin") { try TorchArchive($0) }
                case .arrays:
                    let header = "{'descr': '|O', 'fortran_order': False, 'shape': (), }\n"
                    let start = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8)
                    _ = try opening(start + pickle, as: "index.npy") { try PickledMap.read($0) }
                }
                return nil
            } catch let error as CheckpointError where self == .tensors {
                return error.description
            } catch let error as FormatError where self == .arrays {
                return error.description
            }
        }
    }

    private static func text(_ text: String) -> [UInt8] { TestPickle.text(text) }
    private static let protocol2: [UInt8] = [0x80, 2]

    @Test(arguments: List.allCases)
    func anEmptyMapIsRead(_ list: List) throws {
        #expect(try list.refusal(Self.protocol2 + [0x7D, 0x2E]) == nil)
    }

    /// Names that either list has, and the other refuses; and those that neither has.
    @Test func eachListKnowsItsOwnNames() throws {
        let tensors = [
            ("collections", "OrderedDict"), ("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_parameter"),
            ("torch", "Size"), ("torch", "FloatStorage"), ("torch", "BFloat16Storage"),
        ]
        let arrays = [
            ("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"), ("numpy.core.multiarray", "scalar"),
            ("numpy._core.numeric", "_frombuffer"), ("numpy", "dtype"), ("numpy", "ndarray"), ("_codecs", "encode"),
        ]
        let neither = [
            ("posix", "system"), ("builtins", "eval"), ("builtins", "getattr"), ("numpy", "load"), ("torch", "load"), ("codecs", "encode"),
            ("numpy.core.multiarray", "reconstruct"), ("collections", "defaultdict"), ("torch.FloatStorage", ""), ("", ""),
        ]
        // {"name": the name}: a word that nobody calls
        func pickles(_ module: String, _ name: String) -> [[UInt8]] {
            let ways = [TestPickle.global(module, name), Self.text(module) + Self.text(name) + [0x93]]
            return ways.map { Self.protocol2 + [0x7D] + Self.text("a") + $0 + [0x73, 0x2E] }
        }
        for (module, name) in tensors + arrays + neither {
            for pickle in pickles(module, name) {
                let refusal = try #require(try List.tensors.refusal(pickle))
                let isKnown = tensors.contains { $0 == (module, name) }
                #expect(refusal.contains("refused the global \(module).\(name) at byte") != isKnown, "\(refusal)")
                let other = try #require(try List.arrays.refusal(pickle), "no word is a list of numbers")
                #expect(other.contains("other than a dictionary from splits to row numbers"), "\(other)")
            }
        }
        // what may be mentioned where it does not count shows which names are known: numpy's list drops it again
        for (module, name) in tensors + arrays + neither {
            for way in [TestPickle.global(module, name), Self.text(module) + Self.text(name) + [0x93]] {
                let isRead = try List.arrays.refusal(Self.protocol2 + way + [0x30, 0x7D, 0x2E]) == nil
                #expect(isRead == arrays.contains { $0 == (module, name) }, "\(module).\(name)")
            }
        }
    }

    /// What makes no sense, or would call something, with or without an end.
    @Test(arguments: List.allCases)
    func nothingElseIsCarriedOut(_ list: List) throws {
        let programs: [[UInt8]] = [
            Array("cposix\nsystem\n".utf8) + Self.text("id") + [0x85, 0x52], Array("iposix\nsystem\n".utf8), [0x28, 0x6F], [0x7D, 0x81],
            [0x82, 1], [0x83, 1, 0], [0x84, 1, 0, 0, 0], Self.text("f") + [0x29, 0x52], [0x29, 0x29, 0x52], [0x5D, 0x7D, 0x62],
            [0x29, 0x51], [0x50, 0x61, 0x0A], [0x74], [0x28], [0x65], [0x75], [0x7D, 0x28, 0x4E, 0x75], [0x4E, 0x4E, 0x61],
            [0x5D, 0x4E, 0x4E, 0x73],
            [0x68, 7], [0x6A, 7, 0, 0, 0], [0x8A, 9] + [UInt8](repeating: 1, count: 9), [0x8C, 2, 0xC3, 0x28], [0x97], [0x98], [0xFE], [0],
            [0x49, 0x31, 0x0A], [0x56, 0x61, 0x0A], [0x8F], [0x91], [0x92], [0x4E, 0x28, 0x61], [0x4E, 0x28, 0x30],
            Array("c".utf8) + [UInt8](repeating: 0x61, count: 5000), [UInt8](repeating: 0x28, count: 5000),
        ]
        for program in programs {
            for end: [UInt8] in [[0x7D, 0x2E], [0x2E], []] {
                #expect(try list.refusal(Self.protocol2 + program + end) != nil, "\(program)")
            }
        }
        for version: UInt8 in [0, 1, 6, 255] { #expect(try list.refusal([0x80, version, 0x7D, 0x2E]) != nil) }
    }

    @Test(arguments: List.allCases)
    func whatIsCutOffIsSaidToBe(_ list: List) throws {
        for program: [UInt8] in [
            [], [0x80], [0x58, 0xFF, 0xFF, 0xFF, 0xFF], [0x8D] + littleEndian(UInt64.max), [0x8D] + littleEndian(UInt64.max / 2), [0x8C],
            [0x4A, 1], [0x95, 0],
        ] {
            let refusal = try #require(try list.refusal(program))
            #expect(refusal.contains("truncated"), "\(refusal)")
        }
    }

    /// Deep nesting, cycles and crowds cost nothing.
    @Test(.timeLimit(.minutes(1)), arguments: List.allCases)
    func objectsAreFlatAndCounted(_ list: List) throws {
        let nested = [0x4E] + [UInt8](repeating: 0x85, count: 100_000) + [0x2E]
        let lists = [UInt8](repeating: 0x5D, count: 100_000) + [UInt8](repeating: 0x61, count: 99_999) + [0x2E]
        let own: [UInt8] = [0x5D, 0x71, 0, 0x68, 0, 0x61, 0x2E]
        // a map under its own name
        let map: [UInt8] = [0x7D, 0x71, 0] + Self.text("a") + [0x68, 0, 0x73, 0x2E]
        for pickle in [nested, lists, own, map] { #expect(try list.refusal(Self.protocol2 + pickle) != nil) }
        #if DEBUG
            // five million objects take their time without optimisation
            if list == .arrays { return }
        #endif
        let limit = list == .tensors ? 2_000_000 : 5_000_000
        let crowd = try #require(try list.refusal(Self.protocol2 + [UInt8](repeating: 0x5D, count: limit + 1) + [0x2E]))
        #expect(crowd.contains(list == .tensors ? "the number of objects in the pickle" : "creates more than 5000000 objects"), "\(crowd)")
    }

    /// Bytes, and what drops the top of the stack, are of no use in a file of tensors; identifiers of storages are none to numpy.
    @Test func eachListHasItsOwnOpcodes() throws {
        for (opcode, name) in [([0x43, 1, 0], "SHORT_BINBYTES"), ([0x42, 1, 0, 0, 0, 0], "BINBYTES"), ([0x4E, 0x30], "POP")]
            as [([UInt8], String)]
        {
            let refusal = try #require(try List.tensors.refusal(Self.protocol2 + opcode + [0x7D, 0x2E]))
            #expect(refusal.contains("refused the opcode \(name) at byte"), "\(refusal)")
            #expect(try List.arrays.refusal(Self.protocol2 + opcode + (name == "POP" ? [] : [0x30]) + [0x7D, 0x2E]) == nil)
        }
        #expect(try List.arrays.refusal(Self.protocol2 + Self.text("a") + [0x51, 0x30, 0x7D, 0x2E]) != nil)
    }
}
