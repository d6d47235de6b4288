internal import Formats
internal import Foundation

/// The machine that a run was at work on, as `timing.json` has it: nothing that a result depends on.
public struct RunMachine: Codable, Equatable, Sendable {
    /// What the processor calls itself; "unknown" where it does not say.
    public var processor: String
    /// How many processors the system had.
    public var cores: Int

    /// A machine.
    public init(processor: String, cores: Int) { (self.processor, self.cores) = (processor, cores) }

    /// This one.
    public static var current: RunMachine {
        RunMachine(processor: modelName ?? "unknown", cores: ProcessInfo.processInfo.activeProcessorCount)
    }

    /// The first "model name" of /proc/cpuinfo. The file has no length of its own, and a short part of it is enough.
    private static var modelName: String? {
        guard let content = try? Descriptor.content(of: "/proc/cpuinfo", limit: 16 << 20) else { return nil }
        for line in String(decoding: content.prefix(65_536), as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == "model name" else { continue }
            return parts[1].trimmingCharacters(in: .whitespaces)
        }
        return nil
    }
}
