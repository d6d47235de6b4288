// The standard library's `precondition` stops a release build without a message. These two have its name and its signature, so that
// they take its place in every module of the package that imports Tensor, and say what is wrong in every build.

/// Stops the program with `message` unless `condition` holds: for mistakes of the program, never for what a file or a user says.
@inlinable
package func precondition(
    _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String = String(), file: StaticString = #fileID,
    line: UInt = #line
) {
    if !condition() { fatalError(message(), file: file, line: line) }
}

/// Stops the program with `message`.
@inlinable
package func preconditionFailure(
    _ message: @autoclosure () -> String = String(), file: StaticString = #fileID, line: UInt = #line
) -> Never {
    fatalError(message(), file: file, line: line)
}
