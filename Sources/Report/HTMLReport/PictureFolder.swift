internal import Formats
internal import Foundation
import Runs
import Study

/// The file formats of pictures; raw values are the file name extensions.
package enum PictureFormat: String, CaseIterable, Sendable {
    case svg, pdf, png
}

/// A folder of pictures as separate files. Its file `pictures.json` lists the files that this program wrote, with checksums.
/// Other files, and files that were changed since, are not overwritten.
struct PictureFolder {
    /// The folder.
    let folder: URL
    private let formats: [PictureFormat]
    /// The program that converts SVG to PDF and PNG; nil if neither is requested.
    private let converter: URL?

    private struct Manifest: Codable {
        var generator = "swift-rlhf"
        /// Checksums by file name.
        var files: [String: String] = [:]
    }

    private static let manifestName = "pictures.json"
    private static let converterName = "rsvg-convert"

    /// Creates a folder of pictures in some formats.
    /// - Parameter path: the search path for the converter, as in the environment variable `PATH`.
    /// - Throws: `InvalidSetting` if a format needs a converter that is not installed.
    init(_ folder: URL, formats: [PictureFormat], path: String? = ProcessInfo.processInfo.environment["PATH"]) throws {
        (self.folder, self.formats) = (folder, formats)
        guard formats.contains(where: { $0 != .svg }) else {
            converter = nil
            return
        }
        let places = (path ?? "/usr/bin:/bin").split(separator: ":").map {
            URL(fileURLWithPath: String($0), isDirectory: true).appendingPathComponent(Self.converterName)
        }
        guard let found = places.first(where: { FileManager.default.isExecutableFile(atPath: $0.path) }) else {
            throw InvalidSetting(
                "--picture-formats pdf and png need \(Self.converterName), which is not installed; install it (on Debian: apt-get install "
                    + "librsvg2-bin) or use svg")
        }
        converter = found
    }

    private func files(of picture: Picture) -> [(name: String, format: PictureFormat)] {
        formats.map { ("\(picture.name).\($0.rawValue)", $0) }
    }

    private func manifest() throws -> Manifest {
        let url = folder.appendingPathComponent(Self.manifestName)
        guard try FileStatus.of(url) != nil else { return Manifest() }
        guard
            let found = try? JSONDecoder().decode(Manifest.self, from: Foundation.Data(Descriptor.content(of: url.path, limit: 16 << 20))),
            found.generator == Manifest().generator
        else {
            throw InvalidSetting(
                "--pictures \(folder.path) has a \(Self.manifestName) that rlhf-report did not write; choose another folder")
        }
        return found
    }

    /// Checks that no file would be overwritten that this program did not write or that was changed since.
    /// - Throws: `InvalidSetting` if one would be; `FileError`.
    func check(_ pictures: [Picture]) throws {
        let known = try manifest().files
        for name in pictures.flatMap(files).map(\.name) {
            let url = folder.appendingPathComponent(name)
            guard try FileStatus.of(url.path, followingLinks: false) != nil else { continue }
            guard let checksum = known[name], try FileStatus.of(url)?.kind == .file,
                try RunConfiguration.checksum(of: Descriptor.content(of: url.path, limit: 1 << 30)) == checksum
            else {
                throw InvalidSetting(
                    "--pictures \(url.path) exists, and was not written by rlhf-report html or was changed since; choose another folder, "
                        + "or move the file")
            }
        }
    }

    /// Writes pictures in all formats, and the list of files.
    /// - Throws: `FileError`; `InvalidSetting` if the converter fails.
    func write(_ pictures: [Picture]) throws {
        try Folder.make(folder)
        var manifest = try manifest()
        for picture in pictures {
            let document = Array(picture.document.utf8)
            for (name, format) in files(of: picture) {
                let bytes = format == .svg ? document : try converted(document, to: format)
                let file = try AtomicFile(folder.appendingPathComponent(name))
                try file.write(bytes)
                try file.commit()
                manifest.files[name] = RunConfiguration.checksum(of: bytes)
            }
        }
        try AtomicFile.write(ResultJSON.text(of: manifest), to: folder.appendingPathComponent(Self.manifestName))
    }

    /// Converts an SVG document, using files in a temporary folder.
    private func converted(_ document: [UInt8], to format: PictureFormat) throws -> [UInt8] {
        guard let converter else { return document }
        let place = FileManager.default.temporaryDirectory.appendingPathComponent("swift-rlhf-\(UUID().uuidString)", isDirectory: true)
        try Folder.make(place)
        defer { try? FileManager.default.removeItem(at: place) }
        let (input, output) = (place.appendingPathComponent("picture.svg"), place.appendingPathComponent("picture.\(format.rawValue)"))
        let file = try AtomicFile(input)
        try file.write(document)
        try file.commit()
        let process = Process()
        process.executableURL = converter
        // twice the pixel size, so that a PNG is sharp in print
        process.arguments =
            ["--format", format.rawValue] + (format == .png ? ["--zoom", "2"] : []) + ["--output", output.path, input.path]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { throw InvalidSetting("\(converter.path) cannot be started; use --picture-formats svg") }
        process.waitUntilExit()
        guard process.terminationStatus == 0, try FileStatus.of(output)?.kind == .file else {
            throw InvalidSetting("\(converter.path) failed with exit code \(process.terminationStatus); use --picture-formats svg")
        }
        return try Descriptor.content(of: output.path, limit: 1 << 30)
    }
}
