/// The picture of a comparison: reward against diversity for each system, with intervals. The left panel is in distribution,
/// the right one out of distribution. Systems without a per-input diversity are left out.
package struct SummaryPicture {
    let summary: Summary

    /// The picture of a summary.
    package init(summary: Summary) { self.summary = summary }

    /// The picture as an SVG document.
    package var svg: String {
        let parts: [(title: String, scores: (Summary.System) -> Summary.Scores?)] = [
            ("in distribution", { $0.id }), ("out of distribution", { $0.ood }),
        ]
        let panels = parts.compactMap { title, part -> PicturePanel? in
            let series = summary.systems.named.enumerated().compactMap { index, named -> PictureSeries? in
                guard let scores = part(named.system), let diversity = scores.perInputEAD else { return nil }
                return PictureSeries(
                    named.name, PictureStyle(index), [PicturePoint(diversity, scores.reward)], [.whiskers, .marks], label: .beside)
            }
            guard !series.isEmpty else { return nil }
            return PicturePanel(
                title: "\(summary.dataset): \(title)", across: "diversity: per-input EAD", up: "reward", series)
        }
        return Picture(name: "summary", title: "\(summary.dataset): reward against diversity", panels).document
    }
}
