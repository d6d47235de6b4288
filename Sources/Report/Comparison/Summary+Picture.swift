/// The picture of a comparison: reward against diversity for each system, with intervals. The left panel is in distribution,
/// the right one out of distribution.
package struct SummaryPicture {
    let summary: Summary

    /// The picture of a summary.
    package init(summary: Summary) { self.summary = summary }

    /// The picture as an SVG document.
    package var svg: String {
        let panels = [("in distribution", \Summary.System.id), ("out of distribution", \.ood)].map { title, part in
            PicturePanel(
                title: "\(summary.dataset): \(title)", across: "diversity: per-input EAD", up: "reward",
                summary.systems.named.enumerated().map { index, named in
                    let scores = named.system[keyPath: part]
                    return PictureSeries(
                        named.name, PictureStyle(index), [PicturePoint(scores.perInputEAD, scores.reward)], [.whiskers, .marks],
                        label: .beside)
                })
        }
        return Picture(name: "summary", title: "\(summary.dataset): reward against diversity", panels).document
    }
}
