/// The version of this package, stored with every run.
public enum PackageVersion {
    /// As semantic versioning has it.
    public static var current: String { "0.1.0" }
}
