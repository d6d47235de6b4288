internal import Formats
internal import Foundation

/// The machine on which a run was executed, as recorded in `timing.json`. Results do not depend on it.
public struct RunMachine: Codable, Equatable, Sendable {
    /// The processor's model name; "unknown" if the system does not report it.
    public var processor: String
    /// The number of active processors.
    public var cores: Int

    /// Creates a description of a machine.
    public init(processor: String, cores: Int) { (self.processor, self.cores) = (processor, cores) }

    /// The current machine.
    public static var current: RunMachine {
        RunMachine(processor: modelName ?? "unknown", cores: ProcessInfo.processInfo.activeProcessorCount)
    }

    /// The first "model name" in /proc/cpuinfo. The beginning of the file is sufficient.
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
