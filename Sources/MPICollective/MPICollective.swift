internal import CMPI
import Foundation
internal import Synchronization
public import Train

/// The processes that mpirun or srun has started, over the system's MPI library.
///
/// It needs a build with the package trait `MPI`. In another build, ``begin()`` throws.
public final class MPICollective: Collective {
    /// The number of this process.
    public let rank: Int
    /// The number of processes.
    public let size: Int
    /// MPI allows any thread, but only one at a time.
    private let turn = Mutex(())

    private init(rank: Int, size: Int) { (self.rank, self.size) = (rank, size) }

    /// Whether this build contains MPI.
    public static var isBuilt: Bool { swk_mpi_is_built() != 0 }

    /// The number of processes that an MPI launcher says it has started, of which this is one; nil without a launcher. Open MPI,
    /// MPICH and Slurm (with `--mpi`) are recognised by their environment variables.
    /// - Parameter environment: the variables of this process.
    public static func launchedProcesses(in environment: [String: String]) -> Int? {
        if let size = environment["OMPI_COMM_WORLD_SIZE"] ?? environment["PMI_SIZE"] { return Int(size) }
        // under Slurm, a process is part of an MPI program only if the launcher offers it an interface
        if environment["PMIX_RANK"] != nil || environment["PMI_RANK"] != nil { return environment["SLURM_NTASKS"].flatMap { Int($0) } }
        return nil
    }

    /// The number of this process among those that a launcher has started, as the launcher's environment variables say it; nil without
    /// a launcher. It is known before MPI is started.
    /// - Parameter environment: the variables of this process.
    public static func launchedRank(in environment: [String: String]) -> Int? {
        ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"].compactMap { environment[$0] }.first.flatMap { Int($0) }
    }

    /// The number of processes that srun has started without an interface for MPI, each of which runs alone; nil if there are no others.
    /// - Parameter environment: the variables of this process.
    public static func separateProcesses(in environment: [String: String]) -> Int? {
        guard launchedProcesses(in: environment) == nil else { return nil }
        return environment["SLURM_STEP_NUM_TASKS"].flatMap { Int($0) }.flatMap { $0 > 1 ? $0 : nil }
    }

    /// Starts MPI. A process can do this once.
    /// - Throws: `CollectiveError.unavailable` when the build has no MPI, or MPI cannot be started.
    public static func begin() throws -> MPICollective {
        guard isBuilt else {
            throw CollectiveError.unavailable(
                "this program was built without MPI; build it with `make build MPI=1`, or start it without mpirun")
        }
        var (rank, size) = (Int32(0), Int32(1))
        let code = swk_mpi_begin(&rank, &size)
        guard code == 0 else { throw CollectiveError.unavailable("MPI cannot be started: \(message(of: code))") }
        return MPICollective(rank: Int(rank), size: Int(size))
    }

    /// Sends bytes to every rank and receives bytes from every rank.
    /// - Throws: `CollectiveError.broken`.
    public func exchange(sending: [UnsafeRawBufferPointer], receiving: [UnsafeMutableRawBufferPointer]) throws {
        precondition(sending.count == size && receiving.count == size, "an exchange needs a buffer for each of \(size) ranks")
        let send = sending.map { swk_mpi_part(bytes: UnsafeMutableRawPointer(mutating: $0.baseAddress), count: $0.count) }
        let receive = receiving.map { swk_mpi_part(bytes: $0.baseAddress, count: $0.count) }
        let code = turn.withLock { _ in swk_mpi_exchange(Int32(rank), Int32(size), send, receive) }
        guard code == 0 else { throw CollectiveError.broken(rank: rank, message: Self.message(of: code)) }
    }

    /// Prints the message with the rank and ends all processes.
    public func abort(_ message: String, status: Int32) {
        FileHandle.standardError.write(Foundation.Data("rank \(rank): \(message)\n".utf8))
        swk_mpi_abort(status)
    }

    /// Ends MPI, after the last exchange. All ranks call it.
    /// - Throws: `CollectiveError.broken`.
    public func end() throws {
        let code = turn.withLock { _ in swk_mpi_end() }
        guard code == 0 else { throw CollectiveError.broken(rank: rank, message: Self.message(of: code)) }
    }

    /// The library's message of an error code, in one line.
    private static func message(of code: Int32) -> String {
        var text = [CChar](repeating: 0, count: 1024)
        swk_mpi_message(code, &text, text.count)
        let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self).replacingOccurrences(of: "\n", with: " ")
    }
}
