/// The vocabulary shared by all topics of the generated posts.
enum Wording {
    static let relations = [
        "sister", "brother", "neighbour", "boss", "cousin", "roommate", "uncle", "aunt", "coworker", "girlfriend",
        "boyfriend", "father", "mother", "grandmother", "landlord", "teacher", "best friend", "nephew", "daughter",
        "son",
    ]
    static let times = [
        "yesterday", "last night", "this morning", "last weekend", "on Monday", "last Tuesday", "on Friday night",
        "two days ago", "a week ago", "last month", "over the holidays", "on my birthday", "after work", "in March",
        "on the first day", "during lunch",
    ]
    static let days = ["on Saturday", "on Sunday", "tomorrow", "next week", "next Friday", "in three days", "in May"]
    static let numbers = [
        "15", "20", "25", "30", "40", "45", "50", "60", "75", "80", "90", "100", "120", "150", "200", "250", "300",
        "400",
    ]
    static let smallNumbers = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    static let reactions = [
        "refused to pay", "offered half the money", "said it was not a big deal", "promised to replace it",
        "laughed at me",
        "stopped answering", "blamed me for it", "got angry", "asked for more time", "started to cry",
        "denied everything", "walked away",
    ]
    static let asks = [
        "ask for the money", "let it go", "buy a new one", "talk about it again", "write a long letter",
        "call the police", "wait a month", "involve the family", "ask for an apology", "never lend anything again",
    ]
    static let confessions = [
        "tell the truth", "buy the same one again", "say it was stolen", "keep quiet", "offer a reward",
        "blame the dog", "keep looking",
    ]
    static let occasions = [
        "dinner with the family", "our anniversary", "a birthday party", "a parents' evening", "an important meeting",
        "a concert", "a doctor's appointment", "game night",
    ]
    static let demands = [
        "quit for good", "sell everything", "do it only on weekends", "take a break until summer", "come home earlier",
        "find a second job", "clean up the house first", "choose a cheaper hobby",
    ]
    static let answers = [
        "said no", "said yes", "asked for time", "walked out", "made a joke", "promised to think about it",
        "lost my temper", "apologised",
    ]
    static let excuses = [
        "changes the subject", "says it is in the car", "asks for another week", "says it got lost", "gets annoyed",
        "does not reply", "claims it was a gift",
    ]
    static let thanks = [
        "Thanks in advance.", "Any advice is welcome.", "Thank you for reading.", "I would be glad of any help.",
    ]
    static let asides = [
        "Sorry for the long post.", "I am {age} and fairly new here.", "This has been on my mind all day.",
        "Maybe I am thinking too much about it.", "My {relx} finds the whole thing funny.",
        "Money is a bit tight this month.", "We live in a small town.", "I asked somewhere else and got no reply.",
        "It rained the whole time.", "Work has been busy lately.", "I know this may sound silly.",
        "My {relx} does not want to hear about it any more.", "English is not my first language.",
        "I have been doing this for {years} years.", "There were at least {years} people around.",
        "I slept badly because of it.", "I wrote most of this on my phone.", "Please be kind.",
        "Nothing like this has happened before.", "I have searched the forum already.",
        "My {relx} moved away some time ago.", "It was late and I was tired.",
    ]

    /// Random values for all slots of a template. Values for paired slots, such as `o` and `o2`, differ.
    static func slots(for topic: Topic, using generator: inout PCG64) -> [String: String] {
        func two(_ values: [String]) -> (String, String) {
            let first = generator.below(values.count)
            let second = (first + 1 + generator.below(values.count - 1)) % values.count
            return (values[first], values[second])
        }
        let (object, other) = two(topic.objects)
        let (fix, otherFix) = two(topic.fixes)
        let (ask, otherAsk) = two(asks)
        let (confess, otherConfess) = two(confessions)
        let people = generator.permutation(relations.count)
        return [
            "o": object, "o2": other, "choice": generator.below(2) == 0 ? object : other,
            "fix": fix, "fix2": otherFix, "ask": ask, "ask2": otherAsk, "confess": confess, "confess2": otherConfess,
            "rel": relations[people[0]], "rel2": relations[people[1]], "relx": relations[people[2]],
            "fault": generator.pick(topic.faults), "place": generator.pick(topic.places),
            "event": generator.pick(topic.events), "skill": generator.pick(topic.skills),
            "when": generator.pick(times), "day": generator.pick(days), "n": generator.pick(numbers),
            "weeks": generator.pick(smallNumbers), "months": generator.pick(smallNumbers),
            "days": generator.pick(smallNumbers), "years": generator.pick(smallNumbers),
            "age": String(16 + generator.below(45)), "reaction": generator.pick(reactions),
            "occasion": generator.pick(occasions), "demand": generator.pick(demands),
            "answer": generator.pick(answers), "excuse": generator.pick(excuses),
        ]
    }
}
