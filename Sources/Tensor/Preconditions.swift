// The standard library's `precondition` stops a release build without a message. These two functions have the same names and
// signatures and shadow it in every module of the package that imports Tensor, so that every build prints the message.

/// Stops the program with `message` unless `condition` holds. For programming errors only, never for invalid files or user input.
@inlinable
package func precondition(
    _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String = String(), file: StaticString = #fileID,
    line: UInt = #line
) {
    if !condition() { fatalError(message(), file: file, line: line) }
}

/// Stops the program with `message`. For programming errors only.
@inlinable
package func preconditionFailure(
    _ message: @autoclosure () -> String = String(), file: StaticString = #fileID, line: UInt = #line
) -> Never {
    fatalError(message(), file: file, line: line)
}
