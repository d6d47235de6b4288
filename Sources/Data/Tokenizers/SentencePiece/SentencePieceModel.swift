/// A SentencePiece model file (`sentencepiece_model.proto`), as far as tokenising needs it.
struct SentencePieceModel {
    /// What a piece is.
    enum PieceType: UInt64 {
        case normal = 1
        case unknown, control, userDefined, unused, byte
    }

    struct Piece {
        var text: [UInt8]
        var score: Float
        var type: PieceType
    }

    private(set) var pieces: [Piece] = []
    /// 1 Unigram, 2 BPE, 3 words, 4 characters.
    private(set) var modelType: UInt64 = 1
    private(set) var fallsBackToBytes = false
    private(set) var treatsSpaceAsSuffix = false
    private(set) var unknown: Int32? = 0
    private(set) var begin: Int32? = 1
    private(set) var end: Int32? = 2
    private(set) var padding: Int32?
    private(set) var normalizerName = ""
    /// The compiled rules by which characters are replaced.
    private(set) var characterMap: [UInt8] = []
    private(set) var addsDummyPrefix = true
    private(set) var removesExtraSpaces = true
    private(set) var escapesSpaces = true
    private(set) var denormalizerSize = 0

    private let file: String

    /// Longer pieces are refused: splitting them into pairs takes their length squared.
    private static let lengthLimit = 512

    /// - Throws: `TokenizerError.malformed`, saying where, if the bytes are no such file.
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
            case (1...3, _), (5, _): throw reader.fault("field \(field) is no message")
            default: break
            }
            if pieces.count > TokenizerPart.ids.upperBound { throw reader.fault("more than \(pieces.count) pieces") }
        }
        if pieces.isEmpty { throw reader.fault("it has no pieces") }
    }

    private func piece(_ message: ArraySlice<UInt8>) throws -> Piece {
        var reader = ProtobufReader(message, file: file)
        var piece = Piece(text: [], score: 0, type: .normal)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: piece.text = Array(try reader.required(value.bytes, field))
            case 2:
                piece.score = try reader.required(value.float, field)
                if piece.score.isNaN { throw reader.fault("the score of piece \(pieces.count) is not a number") }
            case 3:
                let number = try reader.required(value.integer, field)
                guard let type = PieceType(rawValue: number) else {
                    throw reader.fault("piece \(pieces.count) is of the unknown type \(number)")
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

    /// An id; a negative one (-1 stands for "none") is none.
    private static func id(_ number: UInt64) -> Int32? {
        Int32(exactly: Int64(bitPattern: number)).flatMap { $0 >= 0 ? $0 : nil }
    }
}

extension ProtobufReader {
    /// The value, if it is of the type that the field has.
    func required<Wanted>(_ value: Wanted?, _ field: Int) throws -> Wanted {
        guard let value else { throw fault("field \(field) has a wrong wire type") }
        return value
    }
}
