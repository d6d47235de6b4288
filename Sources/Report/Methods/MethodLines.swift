import Eval
import Foundation

/// Every method as a line from the base through its strengths, and where it crosses a reward or a KL.
///
/// Between two neighbours i and j a value is interpolated: y = (1 − w) yᵢ + w yⱼ where the quantity x that is held equal is (1 − w) xᵢ + w xⱼ = L.
/// The interval follows from the line's slope s = (yⱼ − yᵢ)/(xⱼ − xᵢ): to first order, chance deviations of the four values change y by
/// (1 − w) dyᵢ + w dyⱼ − s ((1 − w) dxᵢ + w dxⱼ), which is a number for every seed and prompt, like any other that ``CrossedMean`` is given.
struct MethodLines {
    /// A method's points in the order of their strengths, the base first, in the seeds that have all of them.
    struct Line {
        var method: String
        var points: [Point]
        var seeds: [String]
    }

    /// A system with what is measured of it and of the base.
    struct Point {
        var name: String
        var own, base: MeasuredSystem
    }

    let lines: [Line]

    /// The lines of systems, in the manifest's order.
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

    /// The methods at given levels of a quantity, or at the greatest level that all that move at all reach, and the greatest that half of
    /// them do.
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

    /// The least and the median of what is above 0, cut to two digits so that those who reach it still do.
    static func levels(for greatest: [Double]) -> [Double] {
        let reached = greatest.filter { $0 > 0 }.sorted()
        guard let least = reached.first else { return [] }
        func cut(_ value: Double) -> Double {
            let unit = pow(10, log10(value).rounded(.down) - 1)
            return (value / unit + 1e-9).rounded(.down) * unit
        }
        // of an even number the lower one, which half of them reach and one more
        let levels = [cut(least), cut(reached[(reached.count - 1) / 2])]
        return levels[0] == levels[1] ? [levels[0]] : levels
    }

    /// The values of a quantity that is held equal, for every seed and prompt: rewards less those of the base.
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
        // the first crossing from the base: the least strength that reaches it; a strength that makes a level reaches it in spite of rounding
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
