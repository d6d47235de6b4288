import Foundation
import Models
import Testing

func status(_ key: String) -> String {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").first { $0.hasPrefix(key) }.map(String.init) ?? "?"
}
@Test func scratchHostile() throws {
    try withTemporaryFolder { folder in
        let f = folder.appendingPathComponent("a.safetensors")
        let clock = ContinuousClock()
        var header = "{"
        header.reserveCapacity(100_000_000)
        for i in 0..<1_800_000 { header += "\"\(i)\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,0]}," ; if header.utf8.count > 99_000_000 { break } }
        header += "\"z\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"
        try Data(safetensors(header: header, data: [])).write(to: f)
        header = ""
        print("header start", status("VmRSS"))
        print(clock.measure { print(checkpointError { try SafetensorsFile(f) } ?? "none") }, status("VmHWM"))
        for (label, unit) in [("lists", [UInt8]([0x5D])), ("tuples", [0x4E, 0x85, 0x71, 0]), ("texts", [0x8C, 1, 65]), ("marks", [0x28]), ("nones", [0x4E]), ("dicts", [0x7D, 0x4E, 0x4E, 0x73]), ("memo", [0x5D, 0x94, 0x94, 0x94,0x94])] {
            var pickle: [UInt8] = [0x80, 4]
            while pickle.count < 60_000_000 { for _ in 0..<10000 { pickle += unit } }
            let g = folder.appendingPathComponent("\(label).bin")
            try Data(TestArchive.torch(pickle: pickle).bytes).write(to: g)
            pickle = []
            print(label, "start", status("VmRSS"))
            print(label, clock.measure { print(checkpointError { try TorchArchive(g) } ?? "none") }, status("VmHWM"))
        }
    }
}
