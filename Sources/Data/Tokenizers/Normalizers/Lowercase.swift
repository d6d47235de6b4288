/// Conversion to lower case, scalar by scalar: Unicode's full mappings, without those that depend on context or
/// language.
enum Lowercase {
    /// Converts the text in place.
    static func apply(to text: inout NormalizedText) {
        simple.withUnsafeBufferPointer { table in
            text.rewriteScalars { value, bytes, output in
                if value < 0x80 {
                    output.append(UInt8(truncatingIfNeeded: table[Int(value)]))
                } else if value < 0x10000, value != 0x130 {
                    let lower = table[Int(value)]
                    if lower == value { output.append(contentsOf: bytes) } else { output.append(scalar: lower) }
                } else if let scalar = Unicode.Scalar(value) {
                    output.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
                }
            }
        }
    }

    /// The mappings of the basic plane. All are single scalars except that of U+0130.
    private static let simple: [UInt32] = (0..<UInt32(0x10000)).map { value in
        guard let scalar = Unicode.Scalar(value) else { return value }
        return scalar.properties.lowercaseMapping.unicodeScalars.first?.value ?? value
    }
}
