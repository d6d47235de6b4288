/// What somebody else's package calls a model.
public struct Car {
    /// A car.
    public init() {}
}
