/// The words of one subject that people post about.
struct Topic: Sendable {
    let name: String
    /// What is owned, broken, lent and bought; each fits "my …".
    let objects: [String]
    /// What happens to such a thing, in the past: "it …".
    let faults: [String]
    /// What one may do about it: "I tried to …".
    let fixes: [String]
    /// Where, with its preposition.
    let places: [String]
    /// Occasions, with article: "before …".
    let events: [String]
    /// What is practised: "I started …".
    let skills: [String]
    /// Sentences that say nothing of importance.
    let asides: [String]

    init(
        _ name: String, objects: String, faults: String, fixes: String, places: String, events: String, skills: String,
        asides: String
    ) {
        func list(_ text: String) -> [String] {
            text.split(separator: "/").map { $0.trimmingSpaces() }
        }
        self.name = name
        self.objects = list(objects)
        self.faults = list(faults)
        self.fixes = list(fixes)
        self.places = list(places)
        self.events = list(events)
        self.skills = list(skills)
        self.asides = list(asides)
    }
}

extension Substring {
    /// Without spaces and newlines at either end.
    func trimmingSpaces() -> String {
        var text = self
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
