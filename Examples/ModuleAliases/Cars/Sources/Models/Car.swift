/// The model type of another package.
public struct Car {
    /// A car.
    public init() {}
}
