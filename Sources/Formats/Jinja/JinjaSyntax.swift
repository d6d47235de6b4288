/// An expression of a template.
struct JinjaExpression: Sendable {
    indirect enum Kind: Sendable {
        case none
        case bool(Bool)
        case int(Int)
        case float(Double)
        case string(String)
        case name(String)
        case list([JinjaExpression])
        case tuple([JinjaExpression])
        case dict([(key: JinjaExpression, value: JinjaExpression)])
        case unary(JinjaOperator, JinjaExpression)
        case binary(JinjaOperator, JinjaExpression, JinjaExpression)
        case concat([JinjaExpression])
        case compare(JinjaExpression, [(comparison: JinjaOperator, operand: JinjaExpression)])
        case and(JinjaExpression, JinjaExpression)
        case or(JinjaExpression, JinjaExpression)
        case not(JinjaExpression)
        case conditional(test: JinjaExpression, then: JinjaExpression, otherwise: JinjaExpression?)
        case attribute(JinjaExpression, String)
        case item(JinjaExpression, JinjaExpression)
        case slice(JinjaExpression, start: JinjaExpression?, stop: JinjaExpression?, step: JinjaExpression?)
        case call(JinjaExpression, JinjaArguments)
        /// A filter. An operand of nil stands for the text of a filter block.
        case filter(JinjaExpression?, String, JinjaArguments)
        case test(JinjaExpression, String, JinjaArguments)
    }

    let kind: Kind
    let line: Int
    /// The height of this expression tree.
    let depth: Int

    init(_ kind: Kind, line: Int, _ parts: [JinjaExpression?] = []) throws {
        self.kind = kind
        self.line = line
        depth = 1 + (parts.compactMap { $0?.depth }.max() ?? 0)
        guard depth <= JinjaLimits.depth else {
            throw JinjaError(.limit, line: line, "an expression has more than \(JinjaLimits.depth) nested operators")
        }
    }
}

/// An operator. The raw value is its spelling; `not in` is one operator.
enum JinjaOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "%"
    case power = "**"
    case equal = "=="
    case unequal = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case contained = "in"
    case notContained = "not in"
}

/// The arguments of a call, not yet evaluated.
struct JinjaArguments: Sendable {
    var positional: [JinjaExpression] = []
    var keywords: [(name: String, value: JinjaExpression)] = []
    /// The argument after `*`.
    var sequence: JinjaExpression?
    /// The argument after `**`.
    var mapping: JinjaExpression?

    var parts: [JinjaExpression?] { positional + keywords.map(\.value) + [sequence, mapping] }
}

/// The target of an assignment.
indirect enum JinjaTarget: Sendable {
    case name(String)
    case tuple([JinjaTarget])
    /// An attribute of a namespace.
    case attribute(String, String)
}

/// The parameters of a macro. The defaults belong to the last parameters.
struct JinjaSignature: Sendable {
    var names: [String] = []
    var defaults: [JinjaExpression] = []
}

/// A statement of a template.
struct JinjaStatement: Sendable {
    struct Loop: Sendable {
        var target: JinjaTarget
        var sequence: JinjaExpression
        var test: JinjaExpression?
        var body: [JinjaStatement]
        var otherwise: [JinjaStatement]
    }

    struct Macro: Sendable {
        var name: String
        var signature: JinjaSignature
        var body: [JinjaStatement]
        /// Which of `varargs`, `kwargs` and `caller` the body refers to.
        var asksFor: Set<String>
    }

    indirect enum Kind: Sendable {
        case text(String)
        case output(JinjaExpression)
        case branches([(test: JinjaExpression, body: [JinjaStatement])], otherwise: [JinjaStatement])
        case loop(Loop)
        case set(JinjaTarget, JinjaExpression)
        case setBlock(JinjaTarget, filter: JinjaExpression?, [JinjaStatement])
        case with([(target: JinjaTarget, value: JinjaExpression)], [JinjaStatement])
        case filterBlock(JinjaExpression, [JinjaStatement])
        case macro(Macro)
        case callBlock(callee: JinjaExpression, JinjaArguments, Macro)
        case generation([JinjaStatement])
        case breakLoop
        case continueLoop
    }

    let kind: Kind
    let line: Int
}
