/// Sums of the rows of a matrix into the rows of a table, where several rows may have the same place.
enum RowSums {
    /// The number of columns that a thread adds at a time.
    private static let columns = 128
    /// Matrices with fewer elements are added by the calling thread.
    private static let small = 32_768

    /// Adds row i of a matrix [R, C] to row `place(i)` of a table of C columns, for all i in their order.
    ///
    /// Threads share the columns, so every element of the table is a sum in the order of the rows, for any number of threads.
    /// - Parameters:
    ///   - matrix: the first element of the matrix.
    ///   - rows: the number R of its rows.
    ///   - width: the number C of its columns.
    ///   - table: the first element of the table.
    ///   - place: the row of the table to which a row of the matrix is added. Default: 0, for the sums of the columns.
    static func add(
        _ matrix: UnsafePointer<Float>, rows: Int, width: Int, to table: UnsafeMutablePointer<Float>, at place: (Int) -> Int = { _ in 0 }
    ) {
        let kernels = Kernels.current
        Compute.forChunks(width, grain: rows * width < small ? width : columns) { part in
            for row in 0..<rows {
                let sum = table + place(row) * width + part.lowerBound
                kernels.pointee.add(part.count, sum, matrix + row * width + part.lowerBound, sum)
            }
        }
    }
}
