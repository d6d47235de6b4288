/// What one kind of pickle may ask for: the names of Python that it may mention, and what a call of each gives. Everything else is refused.
protocol PickleRules {
    /// A name that may be mentioned. It is a word to the machine: nothing is looked up, imported or run.
    associatedtype Global
    /// What this kind of pickle builds beside plain containers, texts and numbers.
    associatedtype Value

    /// How much it may build.
    static var limits: PickleLimits { get }
    /// The opcodes that it may use beside the common ones.
    static var opcodes: PickleOpcodes { get }

    /// The name of a module; nil for one that is refused.
    static func global(module: String, name: String) -> Global?

    /// Carries out a call of a name: pushes what it gives.
    static func call(_ global: Global, _ arguments: [Int32], in machine: inout PickleMachine<Self>) throws(PickleFault)

    /// Gives an object a state. Both are numbers of nodes.
    static func build(_ object: Int32, from state: Int32, in machine: inout PickleMachine<Self>) throws(PickleFault)

    /// Pushes what an identifier of something outside of the pickle stands for.
    static func resolve(_ identifier: Int32, in machine: inout PickleMachine<Self>) throws(PickleFault)
}

/// How much a pickle may build.
struct PickleLimits {
    /// Its length.
    var bytes: Int
    /// Objects, entries of the memo and of the stack, each.
    var nodes: Int
    /// Containers that are open at the same time.
    var marks = 1000
}

/// Opcodes that some kinds of pickle need and others refuse by name.
struct PickleOpcodes: OptionSet {
    let rawValue: UInt8

    /// Byte strings, in all lengths.
    static let bytes = PickleOpcodes(rawValue: 1)
    /// Dropping the top of the stack.
    static let pop = PickleOpcodes(rawValue: 2)
    /// Identifiers of things outside of the pickle.
    static let persistentIdentifiers = PickleOpcodes(rawValue: 4)
}

/// What is wrong with a pickle, or refused in it.
enum PickleFault: Error, Equatable {
    /// It asks for something that is not on the list of what it may; in words, and the byte of the opcode.
    case refused(String, offset: Int)
    /// It ends before what it announces; in bytes.
    case truncated(need: Int, have: Int)
    /// A name has no end, or none where the end of any name would be.
    case endlessName(offset: Int)
    /// There is more of a part than an honest pickle has.
    case tooLarge(part: String, size: Int, limit: Int)
    /// By naming its parts again and again it would become many times its size.
    case unpacksTooFar
    /// A name was called with something that it does not take; in words.
    case unsuitable(String)
}
