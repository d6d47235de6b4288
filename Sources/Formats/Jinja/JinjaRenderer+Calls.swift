extension JinjaRenderer {
    /// Calls a function, method, macro or other callable value.
    func call(_ value: JinjaValue, _ arguments: JinjaCallArguments) throws -> JinjaValue {
        try step()
        switch value {
        case .undefined(let reason): throw fault(reason)
        case .macro(let macro): return try call(macro, arguments)
        case .function(let function): return try call(function, arguments)
        case .method(let receiver, let name): return try method(name, of: receiver, arguments)
        case .cycler(let cycler) where cycler.isJoiner:
            defer { cycler.position = 1 }
            return cycler.position == 0 ? .string("") : cycler.items[0]
        case .loop: throw unsupported("recursive loops are not supported")
        default: throw fault("a \(value.typeName) cannot be called")
        }
    }

    private func call(_ function: JinjaFunction, _ arguments: JinjaCallArguments) throws -> JinjaValue {
        switch function {
        case .range: return try range(arguments)
        case .dict: return .dict(try dict(arguments, "dict"))
        case .namespace:
            let namespace = JinjaNamespace()
            for member in try dict(arguments, "namespace").members {
                guard let name = member.key.text else { throw fault("the attributes of a namespace must have names") }
                try set(name, of: namespace, to: member.value)
            }
            return .namespace(namespace)
        case .cycler:
            guard !arguments.positional.isEmpty, arguments.keywords.isEmpty else { throw fault("cycler needs at least one item") }
            return .cycler(JinjaCycler(try arguments.positional.map { try kept($0) }, isJoiner: false))
        case .joiner:
            let given = try JinjaBinding("joiner", arguments, ["sep"], self)
            return .cycler(JinjaCycler([.string(try given.text("sep", default: ", "))], isJoiner: true))
        case .raiseException:
            let given = try JinjaBinding("raise_exception", arguments, ["message"], self)
            throw JinjaError(.raised, line: line, try string(given.required("message")))
        case .strftimeNow:
            let given = try JinjaBinding("strftime_now", arguments, ["format"], self)
            let format = try given.text("format")
            guard format.utf8.count <= 1000 else { throw fault("the format of strftime_now has more than 1000 bytes") }
            return try made(clock.text(format))
        }
    }

    private func range(_ arguments: JinjaCallArguments) throws -> JinjaValue {
        guard arguments.keywords.isEmpty, (1...3).contains(arguments.positional.count) else {
            throw fault("range takes one to three arguments")
        }
        let numbers = try arguments.positional.map { value -> Int in
            guard let whole = value.wholeNumber else {
                if case .undefined(let reason) = value { throw fault(reason) }
                throw fault("range needs whole numbers, not a \(value.typeName)")
            }
            return whole
        }
        let start = numbers.count > 1 ? numbers[0] : 0
        let stop = numbers.count > 1 ? numbers[1] : numbers[0]
        let step = numbers.count > 2 ? numbers[2] : 1
        if step == 0 { throw fault("the step of range is zero") }
        let (distance, isOver) = stop.subtractingReportingOverflow(start)
        let isEmpty = isOver ? (stop > start) != (step > 0) : step > 0 ? distance <= 0 : distance >= 0
        if isEmpty { return .range(start: start, stop: stop, count: 0, step: step) }
        let size = isOver ? UInt.max : (distance.magnitude - 1) / step.magnitude + 1
        guard size <= JinjaLimits.range else {
            throw JinjaError(.limit, line: line, "a range has more than \(JinjaLimits.range) numbers, the limit of Jinja's sandbox")
        }
        return .range(start: start, stop: stop, count: Int(size), step: step)
    }

    private func dict(_ arguments: JinjaCallArguments, _ what: String) throws -> JinjaDict {
        var dict = JinjaDict()
        guard arguments.positional.count <= 1 else { throw fault("\(what) takes at most one positional argument") }
        if let source = arguments.positional.first {
            switch source {
            case .dict(let other): dict = other
            case .undefined(let reason) where what == "namespace": throw fault(reason)
            default:
                for pair in try iterate(source) {
                    let parts = try iterate(pair)
                    guard parts.count == 2 else { throw fault("\(what) needs pairs of a key and a value") }
                    dict.set(parts[0], try kept(parts[1]), hash: try key(parts[0]))
                }
            }
        }
        for keyword in arguments.keywords { dict.set(keyword.name, try kept(keyword.value)) }
        _ = try checked(dict)
        return dict
    }

    // MARK: Methods

    private func method(_ name: String, of receiver: JinjaValue, _ arguments: JinjaCallArguments) throws -> JinjaValue {
        switch receiver {
        case .string(let text): return try stringMethod(name, of: text, arguments)
        case .dict(let dict): return try dictMethod(name, of: dict, arguments)
        case .loop(let loop): return try loopMethod(name, of: loop, arguments)
        case .cycler(let cycler):
            _ = try JinjaBinding(name, arguments, [], self)
            defer { cycler.position = name == "reset" ? 0 : (cycler.position + 1) % cycler.items.count }
            return name == "reset" ? .none : cycler.items[cycler.position]
        case .list, .tuple, .range:
            if name == "copy" { return receiver }
            let values = try iterate(receiver)
            guard let wanted = arguments.positional.first, arguments.keywords.isEmpty else { throw fault("\(name) needs an argument") }
            if name == "count" { return .int(try values.count { try isEqual($0, wanted) }) }
            guard arguments.positional.count == 1 else { throw unsupported("\(name) with bounds is not supported") }
            guard let index = try values.firstIndex(where: { try isEqual($0, wanted) }) else {
                throw fault("the value of index is not in the list")
            }
            return .int(index)
        default: throw fault("a \(receiver.typeName) has no method \(OneLine.quoted(name))")
        }
    }

    private func dictMethod(_ name: String, of dict: JinjaDict, _ arguments: JinjaCallArguments) throws -> JinjaValue {
        switch name {
        case "get":
            guard arguments.keywords.isEmpty, (1...2).contains(arguments.positional.count) else {
                throw fault("get takes one or two arguments")
            }
            return try dict[key(arguments.positional[0])] ?? (arguments.positional.count > 1 ? arguments.positional[1] : .none)
        case "fromkeys": throw unsupported("the method \"fromkeys\" of dictionaries is not supported")
        default: _ = try JinjaBinding(name, arguments, [], self)
        }
        switch name {
        case "items": return try view("dict_items", dict.members.map { try tuple([$0.key, $0.value]) })
        case "keys": return try view("dict_keys", dict.members.map(\.key))
        case "values": return try view("dict_values", dict.members.map(\.value))
        default: return .dict(dict)
        }
    }

    private func loopMethod(_ name: String, of loop: JinjaLoop, _ arguments: JinjaCallArguments) throws -> JinjaValue {
        guard arguments.keywords.isEmpty else { throw fault("loop.\(name) takes no keyword arguments") }
        if name == "cycle" {
            guard !arguments.positional.isEmpty else { throw fault("loop.cycle needs at least one item") }
            return arguments.positional[loop.index % arguments.positional.count]
        }
        let isSame = try loop.seen.map {
            try $0.count == arguments.positional.count && zip($0, arguments.positional).allSatisfy { try isEqual($0, $1) }
        }
        if isSame == true { return .bool(false) }
        loop.seen = try arguments.positional.map { try kept($0) }
        return .bool(true)
    }
}
