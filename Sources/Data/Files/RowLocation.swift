/// Where a row of a file begins: the path as given, and the number of its first line, counted from 1.
public struct RowLocation: Sendable, Equatable, CustomStringConvertible {
    public var file: String
    public var line: Int

    public init(file: String, line: Int) {
        self.file = file
        self.line = line
    }

    /// `file:line`, the form that editors and terminals understand.
    public var description: String { "\(file):\(line)" }
}
