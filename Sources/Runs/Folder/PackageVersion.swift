/// The version of this package, which every run records.
public enum PackageVersion {
    /// The current version, in the form of semantic versioning.
    public static var current: String { "0.1.0" }
}
