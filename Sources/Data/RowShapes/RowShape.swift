import Formats

/// A way in which people write rows of instructions, answers and preferences: which columns there are, and what is made of them.
///
/// A catalogue is an array of shapes; the first one that recognises a row counts. A caller appends or prepends its own:
///
///     let quiz = RowShape(
///         "quiz", columns: "question and answer", example: { record, id in
///             SummaryExample(
///                 id: id, subreddit: "", title: "", post: try record.text("question"), summary: try record.text("answer"),
///                 promptFormat: .verbatim)
///         }
///     ) { try $0.has("question") }
///     let request = CorpusRequest(shapes: [quiz] + RowShape.builtIn)
public struct RowShape: Sendable {
    /// The name by which it is chosen.
    public let name: String
    /// Its columns in words, for messages: `instruction and output; input may be missing`.
    public let columns: String
    /// Makes an example of a row; nil where rows are none.
    public let example: RowFile<SummaryExample>.RowDecoder?
    /// Makes a comparison, or a labelled answer, of a row; nil where rows are none.
    public let comparison: RowFile<Comparison>.RowDecoder?
    private let fits: @Sendable (Record) throws -> Bool
    /// Whether it is one of the published sets', whose errors name the field that is missing.
    let isPublished: Bool
    /// Whether it counts only where it is named.
    let isChosenByName: Bool

    /// A shape.
    /// - Parameters:
    ///   - columns: Its columns in words, for messages.
    ///   - isChosenByName: Whether it is passed over where a shape is looked for.
    ///   - fits: Whether a row has the columns. It looks at no more than them, and what it throws counts as no.
    public init(
        _ name: String, columns: String, isChosenByName: Bool = false, example: RowFile<SummaryExample>.RowDecoder? = nil,
        comparison: RowFile<Comparison>.RowDecoder? = nil, fits: @escaping @Sendable (Record) throws -> Bool
    ) {
        self.init(
            name, columns: columns, isChosenByName: isChosenByName, isPublished: false, example: example, comparison: comparison, fits: fits
        )
    }

    init(
        _ name: String, columns: String, isChosenByName: Bool = false, isPublished: Bool,
        example: RowFile<SummaryExample>.RowDecoder? = nil, comparison: RowFile<Comparison>.RowDecoder? = nil,
        fits: @escaping @Sendable (Record) throws -> Bool
    ) {
        (self.name, self.columns, self.isChosenByName, self.isPublished) = (name, columns, isChosenByName, isPublished)
        (self.example, self.comparison, self.fits) = (example, comparison, fits)
    }

    /// Whether a row has the columns of this shape.
    public func recognises(_ record: Record) -> Bool { (try? fits(record)) ?? false }

    /// The same shape, in which a row whose messages hold anything but texts is a bad row: where no chat template makes something of it.
    package var ofTextsAlone: RowShape {
        var makesExample: RowFile<SummaryExample>.RowDecoder?
        if let example {
            makesExample = { record, id in
                let row = try example(record, id)
                try Conversation.checkTexts(row.conversation?.messages ?? [])
                return row
            }
        }
        var makesComparison: RowFile<Comparison>.RowDecoder?
        if let comparison {
            makesComparison = { record, id in
                let row = try comparison(record, id)
                for conversation in row.conversations ?? [] { try Conversation.checkTexts(conversation.messages) }
                return row
            }
        }
        return RowShape(
            name, columns: columns, isChosenByName: isChosenByName, isPublished: isPublished, example: makesExample,
            comparison: makesComparison, fits: fits)
    }

    /// The shape of a name in a catalogue.
    public static func named(_ name: String, in catalogue: [RowShape] = builtIn) -> RowShape? { catalogue.first { $0.name == name } }
}

/// Finds the shape of a file's rows, and holds all of them to it.
struct ShapeReader<Row: CorpusRow> {
    /// The shapes that there may be. One alone is the shape that was asked for.
    private let shapes: [RowShape]
    /// The shape of the rows so far; nil before the first one that is sound.
    private(set) var shape: RowShape?
    /// Whether they hold messages rather than texts.
    private var holdsMessages: Bool?

    init(_ shapes: [RowShape]) { self.shapes = shapes }

    /// Makes a row of its fields.
    /// - Throws: `RowProblem` for a row of another shape than those before it, or of none.
    mutating func row(_ record: Record, _ id: String) throws -> Row {
        let shape = try shape(of: record)
        guard let decode = Row.decoder(of: shape) else {
            throw RowProblem.unfit("rows of the format \(shape.name) are no \(Row.plural); they hold \(shape.columns)")
        }
        let row = try decode(record, id)
        if !shape.isPublished {
            guard row.holdsMessages == holdsMessages ?? row.holdsMessages else {
                throw RowProblem.unfit(
                    "the row holds \(row.holdsMessages ? "messages, and those before it texts" : "texts, and those before it messages"); keep "
                        + "rows of one kind in a file")
            }
            holdsMessages = row.holdsMessages
        }
        self.shape = shape
        return row
    }

    private func shape(of record: Record) throws -> RowShape {
        if let shape {
            if shape.recognises(record) { return shape }
            if let other = Self.found(record, shapes) {
                throw RowProblem.unfit(
                    "the row has the format \(other.name), and those before it \(shape.name); keep rows of one format in a file")
            }
            if shape.isPublished { return shape }
            throw Self.wrongColumns(record, shape)
        }
        if shapes.count == 1, let only = shapes.first {
            guard only.isPublished || only.recognises(record) else { throw Self.wrongColumns(record, only) }
            return only
        }
        if let found = Self.found(record, shapes) { return found }
        // a published set whose row lacks a field: what reads it names the field
        if let published = shapes.first(where: { $0.isPublished && Row.decoder(of: $0) != nil }), Row.resemblesPublished(record) {
            return published
        }
        let known = shapes.filter { Row.decoder(of: $0) != nil && !$0.isChosenByName }.map { "\($0.name) (\($0.columns))" }
        throw RowProblem.unfit(
            "no format of \(Row.plural) has the columns \(Self.list(record)); expected one of \(known.joined(separator: ", "))")
    }

    private static func found(_ record: Record, _ shapes: [RowShape]) -> RowShape? {
        shapes.first { !$0.isChosenByName && Row.decoder(of: $0) != nil && $0.recognises(record) }
    }

    private static func wrongColumns(_ record: Record, _ shape: RowShape) -> RowProblem {
        .unfit("the format \(shape.name) expects the columns \(shape.columns); the row has \(list(record))")
    }

    private static func list(_ record: Record) -> String {
        let names = record.columnNames
        let shown = names.prefix(12).map { record.isNull($0) ? "\($0) (empty)" : $0 }
        return names.isEmpty ? "none" : shown.joined(separator: ", ") + (names.count > shown.count ? ", …" : "")
    }
}
