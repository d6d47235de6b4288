// The C library's functions under names that do not shadow Tensor's methods.
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

package func logarithm(_ x: Float) -> Float { logf(x) }
package func cosine(_ x: Float) -> Float { cosf(x) }
package func sine(_ x: Float) -> Float { sinf(x) }
package func logarithm(_ x: Double) -> Double { log(x) }
package func exponential(_ x: Double) -> Double { exp(x) }
package func cosine(_ x: Double) -> Double { cos(x) }
package func sine(_ x: Double) -> Double { sin(x) }
package func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }
/// Whether two blocks of `count` bytes are equal.
package func equalBytes(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, count: Int) -> Bool { memcmp(a, b, count) == 0 }
