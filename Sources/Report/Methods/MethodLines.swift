import Eval
import Foundation

/// Represents every method as a line from the base through its strengths, and finds where the line reaches a given reward or
/// KL.
///
/// Between two neighbours i and j a value is interpolated linearly: y = (1 − w) yᵢ + w yⱼ, where the quantity x that is held
/// equal is (1 − w) xᵢ + w xⱼ = L.
/// The interval follows from the slope s = (yⱼ − yᵢ)/(xⱼ − xᵢ). To first order, errors of the four values change y by (1 − w)
/// dyᵢ + w dyⱼ − s ((1 − w) dxᵢ + w dxⱼ). This is a number per seed and prompt, so `CrossedMean` applies.
struct MethodLines {
    /// The points of a method in order of strength, starting with the base, over the seeds that have all of them.
    struct Line {
        var method: String
        var points: [Point]
        var seeds: [String]
    }

    /// The measurements of a system, and those of the base in the same seeds.
    struct Point {
        var name: String
        var own, base: MeasuredSystem
    }

    let lines: [Line]

    /// Creates the lines of the systems, in the order of the manifest. Methods without a seed that has all of their systems are
    /// left out.
    init(base: StudiedParts, systems: [StudiedParts], seeds: [String]) {
        var order: [String] = []
        for system in systems where !order.contains(system.system.method) { order.append(system.system.method) }
        lines = order.map { method in
            let members = systems.filter { $0.system.method == method }
            let common = seeds.filter { seed in members.allSatisfy { $0.parts[seed] != nil } }
            let start = base.measured(in: common)
            return Line(
                method: method,
                points: ([base] + members).map { Point(name: $0.system.system, own: $0.measured(in: common), base: start) }, seeds: common)
        }.filter { !$0.seeds.isEmpty }
    }

    /// The methods at given levels of a quantity. Default: the highest level that every method with an increase reaches, and
    /// the highest level that half of these methods reach.
    func levels(of quantity: Experiment.Metric, at given: [Double]) -> [MethodStudy.Level] {
        let places = lines.map { line in line.points.map { Self.mean(quantity, of: $0) } }
        let greatest = places.map { $0.dropFirst().compactMap { $0 }.max() ?? 0 }
        let levels = given.isEmpty ? Self.levels(for: greatest) : given
        return levels.map { level in
            MethodStudy.Level(
                quantity: quantity, value: level,
                methods: zip(lines, zip(places, greatest)).map { line, places in
                    Self.crossing(line, places.0, greatest: places.1, quantity, level)
                })
        }
    }

    /// The minimum and the median of the values above 0, rounded down to two significant digits so that the methods still reach
    /// them.
    static func levels(for greatest: [Double]) -> [Double] {
        let reached = greatest.filter { $0 > 0 }.sorted()
        guard let least = reached.first else { return [] }
        func cut(_ value: Double) -> Double {
            let unit = pow(10, log10(value).rounded(.down) - 1)
            return (value / unit + 1e-9).rounded(.down) * unit
        }
        // for an even count, the lower of the two middle values, which more than half of the methods reach
        let levels = [cut(least), cut(reached[(reached.count - 1) / 2])]
        return levels[0] == levels[1] ? [levels[0]] : levels
    }

    /// The values of a quantity per seed and in-distribution prompt; a reward is taken relative to the base.
    private static func cells(_ quantity: Experiment.Metric, of point: Point) -> [[String: Double]] {
        zip(point.own.id, point.base.id).map { own, base in
            let values = own.prompts[quantity] ?? [:]
            guard quantity == .reward else { return values }
            let others = base.prompts[quantity] ?? [:]
            return values.reduce(into: [:]) { cells, cell in
                if let other = others[cell.key] { cells[cell.key] = cell.value - other }
            }
        }
    }

    private static func mean(_ quantity: Experiment.Metric, of point: Point) -> Double? { SeedValues(cells(quantity, of: point))?.mean }

    private static func crossing(
        _ line: Line, _ places: [Double?], greatest: Double, _ quantity: Experiment.Metric, _ level: Double
    ) -> MethodStudy.Crossing {
        var result = MethodStudy.Crossing(method: line.method, greatest: greatest, between: nil, id: [:], ood: [:], gap: [:])
        // the first crossing from the base, thus the smallest sufficient strength; the slack keeps a strength that defines a
        // level within reach despite rounding
        let slack = 1e-9 * abs(level)
        let segment = (1..<max(1, places.count)).first { index in
            guard let from = places[index - 1], let to = places[index] else { return false }
            return min(from, to) - slack <= level && level <= max(from, to) + slack && from != to
        }
        guard let segment, let from = places[segment - 1], let to = places[segment] else { return result }
        let (first, second) = (line.points[segment - 1], line.points[segment])
        result.between = [first.name, second.name]
        let inside = Interpolation(
            weight: (level - from) / (to - from), run: to - from, places: (cells(quantity, of: first), cells(quantity, of: second)))
        for metric in Experiment.Metric.allCases {
            let isChange = metric == .reward || metric == .gold
            let range = isChange ? metric.range.minus(metric.range) : metric.range
            let id = inside.value(metric, first, second, \.id, minusBase: isChange)
            let ood = inside.value(metric, first, second, \.ood, minusBase: isChange)
            result.id[metric] = id?.whole.estimate(in: range)
            result.ood[metric] = ood?.whole.estimate(in: range)
            if let id, let ood { result.gap[metric] = inside.difference(id, ood).estimate(in: range.minus(range)) }
        }
        return result
    }
}
