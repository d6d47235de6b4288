/// The vocabulary of one topic that people post about.
struct Topic: Sendable {
    let name: String
    /// Things that are owned, broken, lent and bought; each fits "my …".
    let objects: [String]
    /// What goes wrong with such a thing, in the past tense: "it …".
    let faults: [String]
    /// Possible fixes: "I tried to …".
    let fixes: [String]
    /// Places, with preposition.
    let places: [String]
    /// Events, with article: "before …".
    let events: [String]
    /// Skills to practise: "I started …".
    let skills: [String]
    /// Irrelevant sentences.
    let asides: [String]

    /// Creates a topic from lists that are separated by slashes.
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
    /// The text without white space at either end.
    func trimmingSpaces() -> String {
        var text = self
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
