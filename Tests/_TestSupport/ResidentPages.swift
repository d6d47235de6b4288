public import Foundation

/// The bytes of a memory-mapped file that are resident in this process; nil where the system does not say.
public func residentBytes(ofFile url: URL) -> Int? {
    guard let file = FileHandle(forReadingAtPath: "/proc/self/smaps") else { return nil }
    var text = Foundation.Data()
    // the system gives such a file in parts
    while let part = try? file.read(upToCount: 1 << 16), !part.isEmpty { text.append(part) }
    let path = url.resolvingSymlinksInPath().path
    var (isFile, kilobytes) = (false, 0)
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
        let words = line.split(separator: " ", omittingEmptySubsequences: true)
        // a mapping begins with its addresses and ends with its path; its numbers follow
        if let first = words.first, !first.hasSuffix(":") {
            isFile = line.hasSuffix(" " + path)
        } else if isFile, words.first == "Rss:", words.count > 1 {
            kilobytes += Int(words[1]) ?? 0
        }
    }
    return kilobytes * 1024
}
