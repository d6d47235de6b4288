/// Where a row of a file begins: the path as given, and the number of its first line, counted from 1.
public struct RowLocation: Sendable, Equatable, CustomStringConvertible {
    /// The path of the file.
    public var file: String
    /// The line that the row begins on, from 1.
    public var line: Int

    /// A place in a file.
    public init(file: String, line: Int) {
        self.file = file
        self.line = line
    }

    /// `file:line`, the form that editors and terminals understand.
    public var description: String { "\(file):\(line)" }
}
