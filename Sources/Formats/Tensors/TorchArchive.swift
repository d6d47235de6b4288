public import Foundation

/// A file written by `torch.save` (`pytorch_model.bin`), read without executing anything.
///
/// The file is a zip archive with a pickle, `data.pkl`, that describes tensors as views of storages, and one member with the
/// bytes of each storage. Only named tensors are read; `TorchPickle` lists what is rejected. Every view must lie inside its
/// storage, and must not be larger than the file.
public struct TorchArchive: Sendable {
    /// The tensors in the order of the state dictionary.
    public let tensors: [StoredTensor]

    /// Opens a file and validates its tensors.
    ///
    /// - Throws: ``CheckpointError``, with the file's name and what is wrong with it or rejected in it.
    public init(_ url: URL) throws {
        let file = try MappedFile(url)
        try file.checkIsNoPointerFile()
        try Self.checkIsNotLegacy(file)
        let archive = try ZipDirectory(file)
        let pickles = archive.names.filter { $0.hasSuffix("/data.pkl") && $0.split(separator: "/").count == 2 }
        guard pickles.count == 1, let pickle = archive.members[pickles[0]] else {
            throw CheckpointError.badFormat(
                file: file.path, reason: "expected one member <name>/data.pkl in the archive, found \(pickles.count)")
        }
        let folder = String(pickles[0].dropLast("data.pkl".count))
        if let order = archive.members[folder + "byteorder"], !file.bytes[order].elementsEqual("little".utf8) {
            throw CheckpointError.badFormat(file: file.path, reason: "the byte order is not little-endian, which is the only one supported")
        }
        let (machine, root) = try Self.run(UnsafeRawBufferPointer(rebasing: file.bytes[pickle]), file: file.path)
        guard case .dictionary(let pairs) = machine[root] else {
            throw CheckpointError.badFormat(
                file: file.path, reason: "the pickle does not contain a dictionary of tensors; expected a state dictionary")
        }
        var tensors: [StoredTensor] = []
        var seen: Set<String> = []
        for (key, value) in pairs {
            guard case .text(let name) = machine[key], case .tensor(let claim)? = machine.value(value) else {
                continue  // checkpoints may hold counters and other values beside tensors
            }
            guard seen.insert(name).inserted else {
                throw CheckpointError.duplicateTensor(name: name, file: file.path)
            }
            tensors.append(try Self.tensor(name, claim, archive: archive, folder: folder, file: file))
        }
        guard !tensors.isEmpty || pairs.isEmpty else {
            throw CheckpointError.badFormat(
                file: file.path, reason: "the dictionary has no tensors by name; expected a state dictionary")
        }
        self.tensors = tensors
    }

    /// Runs the pickle of a file.
    private static func run(
        _ bytes: UnsafeRawBufferPointer, file: String
    ) throws -> (machine: PickleMachine<TorchPickle>, root: Int32) {
        do throws(PickleFault) {
            return try PickleMachine<TorchPickle>.run(bytes)
        } catch {
            throw CheckpointError(error, file: file)
        }
    }

    /// Rejects files from before PyTorch 1.6, which are a pickle of a magic number followed by more pickles, and the older tar
    /// archives.
    private static func checkIsNotLegacy(_ file: MappedFile) throws {
        let magicNumber: [UInt8] = [0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]
        let isTar = file.bytes.count > 262 && file.bytes[257..<262].elementsEqual("ustar".utf8)
        guard !isTar, !file.bytes.dropFirst(2).starts(with: magicNumber) else {
            throw CheckpointError.legacyTorchFormat(file: file.path)
        }
    }

    /// The stored tensor of a view, checked against its storage and the archive.
    private static func tensor(
        _ name: String, _ claim: TorchPickle.TensorClaim, archive: ZipDirectory, folder: String, file: MappedFile
    ) throws -> StoredTensor {
        func bad(_ reason: String) -> CheckpointError { .badTensor(file: file.path, name: name, reason: reason) }
        let storage = claim.storage
        guard let member = archive.members["\(folder)data/\(storage.key)"] else {
            throw bad("its storage \(storage.key.prefix(40)) is not in the archive")
        }
        guard let storageBytes = storage.elementType.byteCount(shape: [storage.count]), storageBytes <= member.count
        else {
            throw CheckpointError.wrongSize(
                file: file.path, name: name, shape: [storage.count], type: storage.elementType.rawValue,
                need: storage.elementType.byteCount(shape: [storage.count]) ?? .max, have: member.count)
        }
        guard claim.strides.count == claim.shape.count, claim.offset >= 0, claim.strides.allSatisfy({ $0 >= 0 }),
            let byteCount = storage.elementType.byteCount(shape: claim.shape)
        else {
            throw bad("impossible view: shape \(claim.shape), strides \(claim.strides), offset \(claim.offset)")
        }
        // An expanded view (stride 0) can be larger than its storage, but must not be larger than the file.
        guard byteCount <= max(file.bytes.count, storageBytes) else {
            throw CheckpointError.tooLarge(
                file: file.path, part: "the view \(name.prefix(120))", size: byteCount, limit: file.bytes.count)
        }
        let width = storage.elementType.width
        if byteCount == 0 {
            return StoredTensor(
                name: name, elementType: storage.elementType, shape: claim.shape, strides: nil, file: file,
                range: member.lowerBound..<member.lowerBound)
        }
        var last = claim.offset
        for (dimension, stride) in zip(claim.shape, claim.strides) {
            let (distance, tooFar) = (dimension - 1).multipliedReportingOverflow(by: stride)
            let (sum, tooFarAgain) = last.addingReportingOverflow(distance)
            guard !tooFar, !tooFarAgain else { throw bad("impossible view: strides \(claim.strides)") }
            last = sum
        }
        guard last < storage.count else {
            throw CheckpointError.outOfRange(
                file: file.path, name: name, begin: saturatingProduct(claim.offset, width),
                end: saturatingProduct(last, width), size: storageBytes)
        }
        let begin = member.lowerBound + claim.offset * width
        let isContiguous = Self.isContiguous(shape: claim.shape, strides: claim.strides)
        return StoredTensor(
            name: name, elementType: storage.elementType, shape: claim.shape,
            // The stride of a dimension with one element is never used and may have any value.
            strides: isContiguous ? nil : zip(claim.shape, claim.strides).map { $0 == 1 ? 0 : $1 }, file: file,
            range: begin..<member.lowerBound + (last + 1) * width)
    }

    private static func saturatingProduct(_ value: Int, _ factor: Int) -> Int {
        let (product, overflow) = value.multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }

    /// Whether a non-empty view is contiguous and in row-major order.
    private static func isContiguous(shape: [Int], strides: [Int]) -> Bool {
        var expected = 1
        for (dimension, stride) in zip(shape, strides).reversed() where dimension != 1 {
            guard stride == expected else { return false }
            expected *= dimension
        }
        return true
    }
}
