/// The normalizer "Nmt": removes control characters and replaces blank characters by spaces.
enum Nmt {
    /// Normalises the text in place.
    static func apply(to text: inout NormalizedText) {
        text.rewriteScalars { value, bytes, output in
            switch value {
            case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: break
            case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD: output.append(0x20)
            default: output.append(contentsOf: bytes)
            }
        }
    }
}
