package import Foundation

/// A read-only memory-mapped file. Its bytes are read from disk on access and never copied.
///
/// `@unchecked Sendable`: the memory is never written and stays mapped until the last reference is released. If another process
/// truncates the file while it is mapped, access to the missing part ends this process with a signal; replace files by renaming.
package final class MappedFile: @unchecked Sendable {
    /// The path of the file.
    package let path: String
    /// The mapped bytes.
    package let bytes: UnsafeRawBufferPointer

    /// Maps a regular file.
    /// - Throws: ``CheckpointError``.
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
        guard size > 0 else {  // an empty mapping is an error
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

    /// Releases the pages that lie completely inside `range`. They are read from disk again on the next access.
    ///
    /// After a tensor has been copied, this keeps its mapped bytes from counting in the memory use of the process.
    package func releasePages(in range: Range<Int>) {
        let page = sysconf(Int32(_SC_PAGESIZE))
        guard page > 0, let address = bytes.baseAddress else { return }
        let lower = (range.lowerBound + page - 1) / page * page
        let upper = range.upperBound / page * page
        guard lower < upper else { return }
        madvise(UnsafeMutableRawPointer(mutating: address + lower), upper - lower, MADV_DONTNEED)
    }

    /// Throws an error with advice if the file is a Git LFS pointer instead of the actual content, a common accident.
    package func checkIsNoPointerFile() throws {
        if bytes.starts(with: "version https://git-lfs".utf8) {
            throw CheckpointError.badFormat(
                file: path, reason: "this is a Git LFS pointer, not the file itself; download the file (git lfs pull)")
        }
    }
}
