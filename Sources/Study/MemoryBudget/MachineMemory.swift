internal import Formats
internal import Foundation

/// Reads memory figures from the operating system.
enum MachineMemory {
    /// The resident memory of this process in bytes, now and at its peak; nil where the system does not report it.
    static func process() -> (now: Int, peak: Int)? {
        guard let fields = fields(of: "/proc/self/status"), let now = fields["VmRSS"] else { return nil }
        return (now, fields["VmHWM"] ?? now)
    }

    /// The bytes that this process can use in total: what it already uses plus what is free. The machine's free memory, the limit
    /// of the control group and the process's address-space limit (`ulimit -v`) are considered, and the smallest counts. nil
    /// where the system reports none of them.
    /// - Parameter ranks: the number of processes that share what is free on the machine and in the control group.
    static func available(to ranks: Int = 1) -> Int? {
        let own = process()?.now ?? 0
        var limits: [Int] = []
        if let free = fields(of: "/proc/meminfo")?["MemAvailable"] {
            // resident pages of mapped files are page cache, which counts as available already
            let status = fields(of: "/proc/self/status") ?? [:]
            let anonymous = status["RssAnon"].map { $0 + (status["RssShmem"] ?? 0) }
            limits.append((anonymous ?? own) + free / ranks)
        }
        for (limit, usage) in [
            ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
        ] {
            guard let limit = number(in: limit), let usage = number(in: usage), limit < 1 << 60 else { continue }
            limits.append(own + max(0, limit - usage) / ranks)
        }
        if let limit = addressSpace(), let size = fields(of: "/proc/self/status")?["VmSize"] {
            limits.append(own + max(0, limit - size))
        }
        return limits.min()
    }

    /// The bytes that a run may use: the smaller one of the value of the memory option and what is available.
    /// - Parameters:
    ///   - limit: the value of the memory option, which is that of each process; nil if it is not given.
    ///   - ranks: the number of processes that share the machine.
    static func room(limit: String?, ranks: Int) -> Int? {
        [limit.flatMap(ByteCount.init)?.bytes, available(to: ranks)].compactMap(\.self).min()
    }

    /// The address-space limit of this process in bytes; nil without a limit.
    private static func addressSpace() -> Int? {
        let lines = (try? String(contentsOfFile: "/proc/self/limits", encoding: .utf8))?.split(separator: "\n") ?? []
        let line = lines.first { $0.hasPrefix("Max address space") }
        return line?.split(separator: " ").dropFirst(3).first.flatMap { Int($0) }
    }

    /// The lines of the form "Name:  123 kB" in a file, in bytes by name.
    static func fields(of path: String) -> [String: Int]? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        var fields: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count >= 3, words[2] == "kB", words[0].last == ":", let number = Int(words[1]) else { continue }
            fields[String(words[0].dropLast())] = number * 1024
        }
        return fields
    }

    private static func number(in path: String) -> Int? {
        (try? String(contentsOfFile: path, encoding: .utf8)).flatMap {
            Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }
}
