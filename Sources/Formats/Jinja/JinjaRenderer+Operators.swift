import Foundation

extension JinjaRenderer {
    // MARK: Arithmetic

    func signed(_ value: JinjaValue, _ operation: JinjaOperator) throws -> JinjaValue {
        if let whole = value.wholeNumber {
            guard operation == .subtract else { return .int(whole) }
            let (result, isOver) = 0.subtractingReportingOverflow(whole)
            if isOver { throw tooLarge() }
            return .int(result)
        }
        guard case .float(let number) = value else { throw misfit(operation.rawValue, value) }
        return .float(operation == .subtract ? -number : number)
    }

    private func tooLarge() -> JinjaError { unsupported("whole numbers that do not fit into 64 bits are not supported") }

    private func misfit(_ operation: String, _ values: JinjaValue...) -> JinjaError {
        for value in values { if case .undefined(let reason) = value { return fault(reason) } }
        return fault("\(operation) is not defined for \(values.map(\.typeName).joined(separator: " and "))")
    }

    func binary(_ operation: JinjaOperator, _ left: JinjaValue, _ right: JinjaValue) throws -> JinjaValue {
        if let first = left.wholeNumber, let second = right.wholeNumber { return try whole(operation, first, second) }
        if let first = left.number, let second = right.number { return try floating(operation, first, second) }
        switch (operation, left, right) {
        case (.add, .string(let first), .string(let second)):
            try charge(first.utf8.count + second.utf8.count)
            return .string(first + second)
        case (.add, .list(let first), .list(let second)): return try list(first.values + second.values)
        case (.add, .tuple(let first), .tuple(let second)): return try tuple(first.values + second.values)
        case (.multiply, _, _):
            if let count = right.wholeNumber, let value = try repeated(left, count) { return value }
            if let count = left.wholeNumber, let value = try repeated(right, count) { return value }
        case (.modulo, .string(let format), _): return try made(formatted(format, right))
        default: break
        }
        throw misfit(operation.rawValue, left, right)
    }

    private func repeated(_ value: JinjaValue, _ count: Int) throws -> JinjaValue? {
        let count = max(0, count)
        func charge(_ size: Int, _ unit: Int) throws {
            let (product, isOver) = size.multipliedReportingOverflow(by: count)
            try self.charge(isOver || product > Int.max / 32 ? Int.max : product * unit)
        }
        switch value {
        case .string(let text):
            try charge(text.utf8.count, 1)
            return .string(String(repeating: text, count: text.isEmpty ? 0 : count))
        case .list(let sequence):
            try charge(sequence.values.count, 16)
            return try list(Array(repeatElement(sequence.values, count: sequence.values.isEmpty ? 0 : count).joined()))
        case .tuple(let sequence):
            try charge(sequence.values.count, 16)
            return try tuple(Array(repeatElement(sequence.values, count: sequence.values.isEmpty ? 0 : count).joined()))
        default: return nil
        }
    }

    private func whole(_ operation: JinjaOperator, _ left: Int, _ right: Int) throws -> JinjaValue {
        func checked(_ result: (partialValue: Int, overflow: Bool)) throws -> JinjaValue {
            if result.overflow { throw tooLarge() }
            return .int(result.partialValue)
        }
        switch operation {
        case .add: return try checked(left.addingReportingOverflow(right))
        case .subtract: return try checked(left.subtractingReportingOverflow(right))
        case .multiply: return try checked(left.multipliedReportingOverflow(by: right))
        case .divide:
            if right == 0 { throw fault("division by zero") }
            return .float(Double(left) / Double(right))
        case .floorDivide:
            if right == 0 { throw fault("division by zero") }
            let quotient = try checked(left.dividedReportingOverflow(by: right)).wholeNumber ?? 0
            return .int(left % right != 0 && (left < 0) != (right < 0) ? quotient - 1 : quotient)
        case .modulo:
            if right == 0 { throw fault("division by zero") }
            if right == -1 { return .int(0) }
            let remainder = left % right
            return .int(remainder != 0 && (remainder < 0) != (right < 0) ? remainder + right : remainder)
        case .power:
            if right < 0 {
                if left == 0 { throw fault("zero to a negative power") }
                return .float(pow(Double(left), Double(right)))
            }
            return try power(left, right)
        default: throw misfit(operation.rawValue, .int(left), .int(right))
        }
    }

    private func power(_ base: Int, _ exponent: Int) throws -> JinjaValue {
        if base == 0 || base == 1 { return .int(exponent == 0 ? 1 : base) }
        if base == -1 { return .int(exponent % 2 == 0 ? 1 : -1) }
        var result = 1
        for _ in 0..<min(exponent, 64) {
            let (product, isOver) = result.multipliedReportingOverflow(by: base)
            if isOver { throw tooLarge() }
            result = product
        }
        return .int(result)
    }

    private func floating(_ operation: JinjaOperator, _ left: Double, _ right: Double) throws -> JinjaValue {
        switch operation {
        case .add: return .float(left + right)
        case .subtract: return .float(left - right)
        case .multiply: return .float(left * right)
        case .divide:
            if right == 0 { throw fault("division by zero") }
            return .float(left / right)
        case .floorDivide:
            if right == 0 { throw fault("division by zero") }
            let quotient = (left - modulo(left, right)) / right
            let floor = quotient.rounded(.down)
            return .float(
                quotient == 0 ? (left / right < 0 || (left / right).sign == .minus ? -0.0 : 0) : quotient - floor > 0.5 ? floor + 1 : floor)
        case .modulo:
            if right == 0 { throw fault("division by zero") }
            return .float(modulo(left, right))
        case .power:
            if left == 0, right < 0 { throw fault("zero to a negative power") }
            let result = pow(left, right)
            if result.isNaN, !left.isNaN, !right.isNaN { throw unsupported("complex numbers are not supported") }
            if result.isInfinite, left.isFinite, right.isFinite { throw fault("the result is too large") }
            return .float(result)
        default: throw misfit(operation.rawValue, .float(left), .float(right))
        }
    }

    private func modulo(_ left: Double, _ right: Double) -> Double {
        let remainder = fmod(left, right)
        if remainder == 0 { return right.sign == .minus ? -0.0 : 0.0 }
        return (remainder < 0) != (right < 0) ? remainder + right : remainder
    }

    // MARK: Comparing

    func compare(_ comparison: JinjaOperator, _ left: JinjaValue, _ right: JinjaValue) throws -> Bool {
        switch comparison {
        case .equal: return try isEqual(left, right)
        case .unequal: return !(try isEqual(left, right))
        case .contained: return try contains(right, left)
        case .notContained: return !(try contains(right, left))
        case .less: return try isOrdered(left, right, "<")
        case .greater: return try isOrdered(right, left, ">")
        case .lessOrEqual: return try isOrdered(left, right, "<=", orEqual: true)
        case .greaterOrEqual: return try isOrdered(right, left, ">=", orEqual: true)
        default: throw misfit(comparison.rawValue, left, right)
        }
    }

    func isEqual(_ left: JinjaValue, _ right: JinjaValue) throws -> Bool {
        try step()
        if let first = left.wholeNumber, let second = right.wholeNumber { return first == second }
        if let first = left.number, let second = right.number { return first == second }
        switch (left, right) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.string(let first), .string(let second)):
            try charge(first.utf8.count / 8)
            return PythonText.isSame(first, second)
        case (.list(let first), .list(let second)), (.tuple(let first), .tuple(let second)):
            return try first.values.count == second.values.count
                && zip(first.values, second.values).allSatisfy { try isEqual($0, $1) }
        case (.dict(let first), .dict(let second)):
            guard first.count == second.count else { return false }
            for member in first.members {
                guard let other = second[try key(member.key)], try isEqual(member.value, other) else { return false }
            }
            return true
        case (.range(let start, _, let count, let step), .range(let otherStart, _, let otherCount, let otherStep)):
            return count == otherCount && (count == 0 || (start == otherStart && (count == 1 || step == otherStep)))
        case (.namespace(let first), .namespace(let second)): return first === second
        case (.loop(let first), .loop(let second)): return first === second
        case (.macro(let first), .macro(let second)): return first === second
        case (.generator(let first), .generator(let second)): return first === second
        case (.view(let name, _), .view): throw unsupported("comparing two \(name) is not supported")
        case (.function(let first), .function(let second)): return first == second
        case (.method, .method): throw unsupported("comparing methods is not supported")
        default: return false
        }
    }

    /// Whether `left < right`, or `left <= right` with `orEqual`. `sign` is the operator that error messages name.
    func isOrdered(_ left: JinjaValue, _ right: JinjaValue, _ sign: String, orEqual: Bool = false) throws -> Bool {
        try step()
        if let first = left.wholeNumber, let second = right.wholeNumber { return orEqual ? first <= second : first < second }
        if let first = left.number, let second = right.number { return orEqual ? first <= second : first < second }
        switch (left, right) {
        case (.string(let first), .string(let second)):
            try charge(first.utf8.count / 8)
            return PythonText.isBefore(first, second) || (orEqual && PythonText.isSame(first, second))
        case (.list(let first), .list(let second)), (.tuple(let first), .tuple(let second)):
            for (one, other) in zip(first.values, second.values) where !(try isEqual(one, other)) {
                return try isOrdered(one, other, sign, orEqual: orEqual)
            }
            return orEqual ? first.values.count <= second.values.count : first.values.count < second.values.count
        default: throw misfit("the comparison \(sign)", left, right)
        }
    }

    func contains(_ container: JinjaValue, _ value: JinjaValue) throws -> Bool {
        switch container {
        case .string(let text):
            guard let part = value.text else { throw misfit("in", value, container) }
            try charge(text.utf8.count / 4)
            return PythonSearch.first(of: Array(part.utf8), in: Array(text.utf8)) != nil
        case .dict(let dict): return dict[try key(value)] != nil
        case .range(let start, _, let count, let step):
            guard let number = value.number, let whole = Int(exactly: number) else { return false }
            let (distance, isOver) = whole.subtractingReportingOverflow(start)
            return !isOver && distance % step == 0 && (0..<count).contains(distance / step)
        default: return try iterate(container).contains { try isEqual($0, value) }
        }
    }
}
