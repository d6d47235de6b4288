/// The parts of a SentencePiece model file (`sentencepiece_model.proto`) that tokenisation needs.
struct SentencePieceModel {
    /// The type of a piece.
    enum PieceType: UInt64 {
        case normal = 1
        case unknown, control, userDefined, unused, byte
    }

    /// A token with its score and type.
    struct Piece {
        var text: [UInt8]
        var score: Float
        var type: PieceType
    }

    private(set) var pieces: [Piece] = []
    /// 1: Unigram, 2: BPE, 3: words, 4: characters.
    private(set) var modelType: UInt64 = 1
    private(set) var fallsBackToBytes = false
    private(set) var treatsSpaceAsSuffix = false
    private(set) var unknown: Int32? = 0
    private(set) var begin: Int32? = 1
    private(set) var end: Int32? = 2
    private(set) var padding: Int32?
    private(set) var normalizerName = ""
    /// The compiled character replacement rules.
    private(set) var characterMap: [UInt8] = []
    private(set) var addsDummyPrefix = true
    private(set) var removesExtraSpaces = true
    private(set) var escapesSpaces = true
    private(set) var denormalizerSize = 0

    private let file: String

    /// The maximum length of a piece, in bytes. Finding the splits of a piece takes time quadratic in its length.
    private static let lengthLimit = 512

    /// Parses a model file.
    /// - Throws: `TokenizerError.malformed` with the position, if the bytes are not a valid model file.
    init(_ bytes: [UInt8], file: String) throws {
        self.file = file
        var reader = ProtobufReader(bytes[...], file: file)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .bytes(let message)): pieces.append(try piece(message))
            case (2, .bytes(let message)): try readTrainer(message)
            case (3, .bytes(let message)): try readNormalizer(message)
            case (5, .bytes(let message)):
                var inner = ProtobufReader(message, file: file)
                while let (field, value) = try inner.next() {
                    if field == 2 { denormalizerSize = value.bytes?.count ?? 0 }
                }
            case (1...3, _), (5, _): throw reader.fault("field \(field) is not a message")
            default: break
            }
            if pieces.count > TokenizerPart.ids.upperBound { throw reader.fault("there are too many pieces") }
        }
        if pieces.isEmpty { throw reader.fault("it has no pieces") }
    }

    /// Parses a piece.
    private func piece(_ message: ArraySlice<UInt8>) throws -> Piece {
        var reader = ProtobufReader(message, file: file)
        var piece = Piece(text: [], score: 0, type: .normal)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: piece.text = Array(try reader.required(value.bytes, field))
            case 2:
                piece.score = try reader.required(value.float, field)
                if piece.score.isNaN { throw reader.fault("the score of piece \(pieces.count) is NaN") }
            case 3:
                let number = try reader.required(value.integer, field)
                guard let type = PieceType(rawValue: number) else {
                    throw reader.fault("piece \(pieces.count) has the unknown type \(number)")
                }
                piece.type = type
            default: break
            }
        }
        if piece.text.isEmpty { throw reader.fault("piece \(pieces.count) is empty") }
        if piece.text.count > Self.lengthLimit {
            throw reader.fault(
                "piece \(pieces.count) has \(piece.text.count) bytes; at most \(Self.lengthLimit) are supported")
        }
        guard String(validating: piece.text, as: UTF8.self) != nil else {
            throw reader.fault("piece \(pieces.count) is not UTF-8")
        }
        return piece
    }

    /// Parses the trainer settings.
    private mutating func readTrainer(_ message: ArraySlice<UInt8>) throws {
        var reader = ProtobufReader(message, file: file)
        while let (field, value) = try reader.next() {
            switch field {
            case 3: modelType = try reader.required(value.integer, field)
            case 24: treatsSpaceAsSuffix = try reader.required(value.integer, field) != 0
            case 35: fallsBackToBytes = try reader.required(value.integer, field) != 0
            case 40: unknown = Self.id(try reader.required(value.integer, field))
            case 41: begin = Self.id(try reader.required(value.integer, field))
            case 42: end = Self.id(try reader.required(value.integer, field))
            case 43: padding = Self.id(try reader.required(value.integer, field))
            default: break
            }
        }
    }

    /// Parses the normalizer settings.
    private mutating func readNormalizer(_ message: ArraySlice<UInt8>) throws {
        var reader = ProtobufReader(message, file: file)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: normalizerName = String(decoding: try reader.required(value.bytes, field), as: UTF8.self)
            case 2: characterMap = Array(try reader.required(value.bytes, field))
            case 3: addsDummyPrefix = try reader.required(value.integer, field) != 0
            case 4: removesExtraSpaces = try reader.required(value.integer, field) != 0
            case 5: escapesSpaces = try reader.required(value.integer, field) != 0
            default: break
            }
        }
    }

    /// An ID; nil if it is negative (-1 means "none").
    private static func id(_ number: UInt64) -> Int32? {
        Int32(exactly: Int64(bitPattern: number)).flatMap { $0 >= 0 ? $0 : nil }
    }
}

extension ProtobufReader {
    /// The value, or an error if the field has another wire type.
    func required<Wanted>(_ value: Wanted?, _ field: Int) throws -> Wanted {
        guard let value else { throw fault("field \(field) has the wrong wire type") }
        return value
    }
}
