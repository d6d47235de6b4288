/// The rules for one kind of pickle: the Python names that it may mention, and the results of calling them. Everything else is
/// rejected.
protocol PickleRules {
    /// An allowed name. The machine treats it as a constant: nothing is looked up, imported or executed.
    associatedtype Global
    /// The objects that this kind of pickle builds besides plain containers, strings and numbers.
    associatedtype Value

    /// The size limits.
    static var limits: PickleLimits { get }
    /// The opcodes that are allowed besides the common ones.
    static var opcodes: PickleOpcodes { get }

    /// The constant for a name in a module; nil rejects the name.
    static func global(module: String, name: String) -> Global?

    /// Handles a call of a name: pushes its result.
    static func call(_ global: Global, _ arguments: [Int32], in machine: inout PickleMachine<Self>) throws(PickleFault)

    /// Handles the setting of an object's state. Both arguments are node numbers.
    static func build(_ object: Int32, from state: Int32, in machine: inout PickleMachine<Self>) throws(PickleFault)

    /// Resolves a persistent identifier: pushes the object for something stored outside the pickle.
    static func resolve(_ identifier: Int32, in machine: inout PickleMachine<Self>) throws(PickleFault)
}

/// The size limits of a pickle.
struct PickleLimits {
    /// Maximum length in bytes.
    var bytes: Int
    /// Maximum number of objects, of memo entries and of stack entries.
    var nodes: Int
    /// Maximum number of containers open at the same time.
    var marks = 1000
}

/// Opcodes that only some kinds of pickle may use.
struct PickleOpcodes: OptionSet {
    let rawValue: UInt8

    /// Byte strings of all lengths.
    static let bytes = PickleOpcodes(rawValue: 1)
    /// Removal of the top of the stack.
    static let pop = PickleOpcodes(rawValue: 2)
    /// Persistent identifiers, which refer to objects outside the pickle.
    static let persistentIdentifiers = PickleOpcodes(rawValue: 4)
}

/// An error in a pickle.
enum PickleFault: Error, Equatable {
    /// The pickle uses something that is not allowed: a description, and the offset of the opcode in bytes.
    case refused(String, offset: Int)
    /// The pickle is too short. Sizes are in bytes.
    case truncated(need: Int, have: Int)
    /// A name or line has no end within the maximum length.
    case endlessName(offset: Int)
    /// A part of the pickle exceeds a size limit.
    case tooLarge(part: String, size: Int, limit: Int)
    /// Expanding repeated references would make the pickle many times larger.
    case unpacksTooFar
    /// A name was called with unsuitable arguments, with a description.
    case unsuitable(String)
}
