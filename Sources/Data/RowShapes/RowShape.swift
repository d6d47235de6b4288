import Formats

/// A row format for instructions, answers or preferences: which columns it has, and how they are decoded.
///
/// A catalogue is an array of shapes; the first one that recognises a row is used. A caller can add its own:
///
/// ```swift
/// let quiz = RowShape(
///     "quiz", columns: "question and answer", example: { record, id in
///         SummaryExample(
///             id: id, subreddit: "", title: "", post: try record.text("question"), summary: try record.text("answer"),
///             promptFormat: .verbatim)
///     }
/// ) { try $0.has("question") }
/// let request = CorpusRequest(shapes: [quiz] + RowShape.builtIn)
/// ```
public struct RowShape: Sendable {
    /// The name that selects the shape.
    public let name: String
    /// A description of the columns for messages, such as `instruction and output; input may be missing`.
    public let columns: String
    /// Decodes a row as an example; nil if such rows are not examples.
    public let example: RowFile<SummaryExample>.RowDecoder?
    /// Decodes a row as a comparison or a labelled answer; nil if such rows are neither.
    public let comparison: RowFile<Comparison>.RowDecoder?
    private let fits: @Sendable (Record) throws -> Bool
    /// Whether this is the shape of a published set. Errors about its rows then name the missing field.
    let isPublished: Bool
    /// Whether the shape is used only if selected by name, not detected.
    let isChosenByName: Bool

    /// Creates a shape.
    /// - Parameters:
    ///   - name: The name that selects the shape.
    ///   - columns: A description of the columns for messages.
    ///   - isChosenByName: Whether the shape is skipped during detection.
    ///   - example: Decodes a row as an example.
    ///   - comparison: Decodes a row as a comparison.
    ///   - fits: Whether a row has the columns. It should check only their presence; an error counts as false.
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

    /// This shape, with rows rejected if their messages contain anything but text. Used without a chat template, which
    /// could render other content.
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

    /// The shape with the given name in a catalogue; nil if there is none.
    public static func named(_ name: String, in catalogue: [RowShape] = builtIn) -> RowShape? { catalogue.first { $0.name == name } }
}

/// Detects the shape of a file's rows, and checks that all rows have it.
struct ShapeReader<Row: CorpusRow> {
    /// The possible shapes. If there is only one, rows must have it.
    private let shapes: [RowShape]
    /// The shape of the rows so far; nil before the first valid row.
    private(set) var shape: RowShape?
    /// Whether the rows hold messages rather than texts; nil before the first valid row.
    private var holdsMessages: Bool?

    init(_ shapes: [RowShape]) { self.shapes = shapes }

    /// Decodes a row.
    /// - Throws: `RowProblem` if the row has no known shape, or another shape than the rows before it.
    mutating func row(_ record: Record, _ id: String) throws -> Row {
        let shape = try shape(of: record)
        guard let decode = Row.decoder(of: shape) else {
            throw RowProblem.unfit("rows of the format \(shape.name) are not \(Row.plural); they have the columns \(shape.columns)")
        }
        let row = try decode(record, id)
        if !shape.isPublished {
            guard row.holdsMessages == holdsMessages ?? row.holdsMessages else {
                throw RowProblem.unfit(
                    "the row has \(row.holdsMessages ? "messages, but earlier rows strings" : "strings, but earlier rows messages"); "
                        + "use one kind per file")
            }
            holdsMessages = row.holdsMessages
        }
        self.shape = shape
        return row
    }

    /// The shape of a record.
    /// - Throws: `RowProblem` if it has none, or not that of the rows before it.
    private func shape(of record: Record) throws -> RowShape {
        if let shape {
            if shape.recognises(record) { return shape }
            if let other = Self.found(record, shapes) {
                throw RowProblem.unfit(
                    "the row has the format \(other.name), but earlier rows have \(shape.name); use one format per file")
            }
            if shape.isPublished { return shape }
            throw Self.wrongColumns(record, shape)
        }
        if shapes.count == 1, let only = shapes.first {
            guard only.isPublished || only.recognises(record) else { throw Self.wrongColumns(record, only) }
            return only
        }
        if let found = Self.found(record, shapes) { return found }
        // a row of a published set with a missing field: its decoder names the field
        if let published = shapes.first(where: { $0.isPublished && Row.decoder(of: $0) != nil }), Row.resemblesPublished(record) {
            return published
        }
        let known = shapes.filter { Row.decoder(of: $0) != nil && !$0.isChosenByName }.map { "\($0.name) (\($0.columns))" }
        throw RowProblem.unfit(
            "no format for \(Row.plural) has the columns \(Self.list(record)); expected one of \(known.joined(separator: "; "))")
    }

    /// The first shape that recognises a record.
    private static func found(_ record: Record, _ shapes: [RowShape]) -> RowShape? {
        shapes.first { !$0.isChosenByName && Row.decoder(of: $0) != nil && $0.recognises(record) }
    }

    private static func wrongColumns(_ record: Record, _ shape: RowShape) -> RowProblem {
        .unfit("the format \(shape.name) expects the columns \(shape.columns); the row has \(list(record))")
    }

    /// The record's column names, for messages.
    private static func list(_ record: Record) -> String {
        let names = record.columnNames
        let shown = names.prefix(12).map { record.isNull($0) ? "\($0) (empty)" : $0 }
        return names.isEmpty ? "none" : shown.joined(separator: ", ") + (names.count > shown.count ? ", …" : "")
    }
}
