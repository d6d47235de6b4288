package import Foundation

/// A file mapped read-only into memory: its bytes are read from disk when they are touched and are never copied.
///
/// `@unchecked Sendable`: the pointer is to memory that nobody writes, and it stays mapped until the last owner is
/// gone. A file that another process cuts short while it is mapped makes the system end this process; replace files by
/// renaming.
package final class MappedFile: @unchecked Sendable {
    package let path: String
    package let bytes: UnsafeRawBufferPointer

    package init(_ url: URL) throws {
        path = url.path
        // Without O_NONBLOCK, opening a named pipe would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw CheckpointError.unreadable(file: path, reason: SystemError.last.description)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw CheckpointError.unreadable(file: path, reason: SystemError.last.description)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw CheckpointError.unreadable(file: path, reason: "it is not a regular file")
        }
        let size = Int(status.st_size)
        guard size > 0 else {  // a mapping cannot be empty
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw CheckpointError.unreadable(file: path, reason: SystemError.last.description)
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    deinit {
        if let address = bytes.baseAddress {
            munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
        }
    }

    /// Gives the pages that lie wholly in `range` back to the system; they are read again when touched again.
    ///
    /// After a tensor has been copied, this keeps its mapped bytes from counting twice in the memory of the process.
    package func releasePages(in range: Range<Int>) {
        let page = sysconf(Int32(_SC_PAGESIZE))
        guard page > 0, let address = bytes.baseAddress else { return }
        let lower = (range.lowerBound + page - 1) / page * page
        let upper = range.upperBound / page * page
        guard lower < upper else { return }
        madvise(UnsafeMutableRawPointer(mutating: address + lower), upper - lower, MADV_DONTNEED)
    }

    /// Names a file that is something else altogether, in words that help: pointers of Git LFS are a common accident.
    package func checkIsNoPointerFile() throws {
        if bytes.starts(with: "version https://git-lfs".utf8) {
            throw CheckpointError.badFormat(
                file: path, reason: "this is a pointer of Git LFS, not the file itself; fetch it (git lfs pull)")
        }
    }
}
