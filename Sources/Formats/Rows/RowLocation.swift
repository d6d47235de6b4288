/// The location of a row: the path of its file, and the number of its first line.
public struct RowLocation: Sendable, Equatable, CustomStringConvertible {
    /// The path of the file.
    public var file: String
    /// The first line of the row, counted from 1.
    public var line: Int

    /// Creates a location.
    public init(file: String, line: Int) {
        self.file = file
        self.line = line
    }

    /// `file:line`, the form that editors and terminals recognise.
    public var description: String { "\(file):\(line)" }
}
