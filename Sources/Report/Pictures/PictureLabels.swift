/// Places names in a panel so that they overlap neither each other nor marks.
struct PictureLabels {
    private let left, top, right, bottom: Double
    private var taken: [Box]

    private struct Box {
        var left, top, right, bottom: Double

        func overlaps(_ other: Box) -> Bool { left < other.right && other.left < right && top < other.bottom && other.top < bottom }
    }

    /// Creates the placement for a panel with marks and no names yet.
    init(left: Double, top: Double, right: Double, bottom: Double, marks: [(x: Double, y: Double)]) {
        (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
        taken = marks.map { Box(left: $0.x - 5, top: $0.y - 5, right: $0.x + 5, bottom: $0.y + 5) }
    }

    /// The start of the baseline of a name next to a mark; nil if there is no space.
    mutating func place(width: Double, beside x: Double, _ y: Double) -> (x: Double, y: Double)? {
        let height = 12.0
        // positions right and left of the mark first, then positions further away
        for distance in [0.0, 13, 26, 39] {
            for (stepX, stepY) in [
                (8.0, -6.0 - distance), (8, 14 + distance), (-8 - width, -6 - distance), (-8 - width, 14 + distance),
                (10 + distance, 4), (-10 - distance - width, 4),
            ] {
                let (startX, base) = (x + stepX, y + stepY)
                let box = Box(left: startX, top: base - height + 2, right: startX + width, bottom: base + 3)
                guard box.left >= left, box.right <= right - 1, box.top >= top, box.bottom <= bottom,
                    !taken.contains(where: { $0.overlaps(box) })
                else { continue }
                taken.append(box)
                return (startX, base)
            }
        }
        return nil
    }

    /// Heights as close to the wanted ones as possible that keep a minimum distance from each other.
    /// - Parameters:
    ///   - wanted: the wanted heights, in ascending order.
    ///   - distance: the minimum distance, which is reduced if the labels do not fit.
    static func spread(_ wanted: [Double], apart distance: Double, from top: Double, to bottom: Double) -> [Double] {
        guard wanted.count > 1 else { return wanted.map { min(max($0, top), bottom) } }
        // labels that do not fit are spread evenly
        let apart = min(distance, (bottom - top) / Double(wanted.count - 1))
        var heights = wanted
        for index in heights.indices { heights[index] = max(heights[index], index == 0 ? top : heights[index - 1] + apart) }
        for index in heights.indices.reversed() {
            heights[index] = min(heights[index], index == heights.count - 1 ? bottom : heights[index + 1] - apart)
        }
        return heights
    }
}
