/// One kind of story, with templates for its parts. All templates of a plot use the same slot values, so that a summary
/// agrees with its post.
struct Plot: Sendable {
    let titles: [String]
    /// Wordings of the first sentence.
    let opening: [String]
    /// The other facts; each inner array holds the wordings of one fact. The order of facts varies.
    let facts: [[String]]
    let question: [String]
    let summaries: [String]
}

extension Plot {
    static let all: [Plot] = [
        // Something borrowed comes back broken.
        Plot(
            titles: [
                "My {rel} borrowed my {o} and it {fault}", "Lent out my {o}, now what?",
                "{N} dollars of damage by my {rel}",
            ],
            opening: [
                "{When} my {rel} borrowed my {o} and it {fault} {place}.",
                "My {rel} borrowed my {o} {when}, and {place} it {fault}.",
                "So {when} I lent my {o} to my {rel}, and it {fault} {place}.",
            ],
            facts: [
                [
                    "The repair costs {n} dollars.", "Getting it fixed costs {n} dollars.",
                    "I was told it costs {n} dollars to fix.",
                ],
                [
                    "When I brought it up, my {rel} {reaction}.", "I asked about it and my {rel} {reaction}.",
                    "The worst part is that my {rel} {reaction}.",
                ],
            ],
            question: [
                "Should I {ask} or {ask2}?", "Would you {ask} or {ask2}?",
                "I cannot decide whether to {ask} or {ask2}.",
            ],
            summaries: [
                "My {rel} borrowed my {o}, it {fault}, and my {rel} {reaction}.",
                "Lent my {o} to my {rel}, it {fault} {place}, [fixing it costs|now I am out] {n} dollars.",
                "My {o} {fault} while my {rel} had it[ {place}|]; should I {ask} or {ask2}?",
            ]),
        // Something fails and the first fix does not help.
        Plot(
            titles: ["My {o} {fault}", "How do I save my {o}?", "Tried to {fix}, no luck"],
            opening: [
                "{When} my {o} {fault} {place}.", "My {o} {fault} {when}, right {place}.",
                "I was {place} {when} and my {o} {fault}.",
            ],
            facts: [
                ["I tried to {fix}, but that did not help.", "My first idea was to {fix}, without any luck."],
                [
                    "My {rel} says I should {fix2}.", "My {rel} told me to {fix2} instead.",
                    "According to my {rel} I have to {fix2}.",
                ],
                ["A new one costs {n} dollars.", "I could buy a new one for {n} dollars."],
            ],
            question: [
                "Should I {fix2} or just buy a new one?", "Is it worth it to {fix2}?",
                "Has anyone had this, and does it help to {fix2}?",
            ],
            summaries: [
                "My {o} {fault}, I tried to {fix}, should I {fix2} or [buy a new one|pay {n} dollars for a new one]?",
                "My {o} {fault} {place}; [tried to {fix} but it did not help|I already tried to {fix}].",
                "My {rel} says to {fix2} because my {o} {fault}, [does that help|is it worth it]?",
            ]),
        // A choice between two things to buy.
        Plot(
            titles: ["{O} or {o2}?", "Which one for {event}?", "Only {n} dollars to spend"],
            opening: [
                "I have {n} dollars for {event} and cannot choose between {A o} and {A o2}.",
                "For {event} I want to buy either {A o} or {A o2}, and I have {n} dollars.",
                "There is {event} {day}, I have {n} dollars, and I need {A o} or {A o2}.",
            ],
            facts: [
                [
                    "My {rel} would take the {choice}.", "My {rel} says to get the {choice}.",
                    "Everyone including my {rel} prefers the {choice}.",
                ],
                [
                    "The last one I had {fault}.", "My old one {fault} {place}.",
                    "I am careful because my last one {fault}.",
                ],
                ["I mostly care about {skill}.", "What I really like is {skill}.", "I need it for {skill}."],
            ],
            question: ["Which one would you buy?", "What should I get?", "Is my {rel} right?"],
            summaries: [
                "[Should I buy|Need to choose between] {A o} [or|and] {A o2} for {event}[, my {rel} says the {choice}|]?",
                "I have {n} dollars for {A o} or {A o2} and my {rel} [prefers|would take] the {choice}.",
                "Only {n} dollars for {skill}, [should I buy|do I need] {A o} or {A o2}?",
            ]),
        // Practice pays off after weeks.
        Plot(
            titles: ["Finally got the hang of {skill}", "{Weeks} weeks of {skill}", "Thank you to my {rel}"],
            opening: [
                "After {weeks} weeks of {skill} it finally went well {place}.",
                "I have been {skill} for {weeks} weeks, and {when} it finally went well.",
                "{When} I finally got {skill} right, after {weeks} weeks.",
            ],
            facts: [
                [
                    "What made the difference was that my {rel} told me to {fix}.",
                    "My {rel} told me to {fix}, and that changed everything.",
                ],
                [
                    "Before that my {o} {fault} and I nearly gave up.", "I almost quit when my {o} {fault}.",
                    "It began badly, my {o} {fault}.",
                ],
                ["Now I feel ready for {event}.", "I might even sign up for {event}.", "Next comes {event}."],
            ],
            question: ["Just wanted to share.", "Keep at it, everyone!", "What should I try next?"],
            summaries: [
                "After {weeks} weeks of {skill} it finally works, [thanks to|because of] my {rel}.",
                "My {rel} told me to {fix} and now {skill} finally works.",
                "Nearly quit {skill} when my {o} {fault}, [now I am ready for {event}|but it went well after {weeks} weeks].",
            ]),
        // Someone objects to the hobby.
        Plot(
            titles: ["My {rel} hates my {skill}", "Too much {skill}?", "Am I wrong about {skill}?"],
            opening: [
                "My {rel} says I spend too much time {skill}.",
                "According to my {rel}, {skill} has taken over my life.",
                "{When} my {rel} got angry because I was {skill} again.",
            ],
            facts: [
                [
                    "It is true that I missed {occasion} because of it.", "I did miss {occasion} once.",
                    "The argument began when I missed {occasion}.",
                ],
                ["Now my {rel} wants me to {demand}.", "My {rel} asked me to {demand}.", "I am supposed to {demand}."],
                ["I {answer}.", "In the end I {answer}.", "I was tired and {answer}."],
            ],
            question: ["Am I wrong?", "Who is right here?", "What would you do in my place?"],
            summaries: [
                "My {rel} wants me to {demand} because of {skill}, and I {answer}.",
                "Missed {occasion} because of {skill}, now my {rel} wants me to {demand}.",
                "[I {answer} when|I {answer} after] my {rel} asked me to {demand}, am I wrong?",
            ]),
        // A present is lost.
        Plot(
            titles: ["Lost my {o} {place}", "Should I tell my {rel}?", "Has anyone seen my {o}?"],
            opening: [
                "{When} I lost my {o} {place}.", "I lost my {o} {place} {when}.",
                "My {o} is gone since I was {place} {when}.",
            ],
            facts: [
                ["It was a present from my {rel}.", "My {rel} gave it to me as a present.", "I got it from my {rel}."],
                ["It is worth {n} dollars.", "It was not cheap, {n} dollars.", "A new one is {n} dollars."],
                [
                    "My {rel} will ask about it at {event}.", "I need it for {event} {day}.",
                    "I had planned to use it at {event}.",
                ],
            ],
            question: [
                "Should I {confess} or {confess2}?", "Is it better to {confess} or to {confess2}?",
                "I could {confess}, or I could {confess2}.",
            ],
            summaries: [
                "Lost the {o} that my {rel} gave me, should I {confess} or {confess2}?",
                "My {o} from my {rel} is gone, I lost it {place}[ {when}|].",
                "I lost my {o} [worth {n} dollars|and need it for {event}], a present from my {rel}.",
            ]),
        // Something lent is not returned.
        Plot(
            titles: ["My {rel} will not return my {o}", "{Weeks} weeks and still no {o}", "How do I get my {o} back?"],
            opening: [
                "I lent my {o} to my {rel} {weeks} weeks ago and still do not have it back.",
                "My {rel} has had my {o} for {weeks} weeks now.",
                "{Weeks} weeks ago my {rel} asked for my {o}, and I said yes.",
            ],
            facts: [
                [
                    "I need it for {event} {day}.", "It has to be back for {event} {day}.",
                    "{Event} is {day} and I need it there.",
                ],
                [
                    "Whenever I ask, my {rel} {excuse}.", "Each time I ask, my {rel} {excuse}.",
                    "I asked twice and my {rel} {excuse}.",
                ],
                ["A friend saw it {place}.", "I think it is somewhere {place}.", "It was last seen {place}."],
            ],
            question: [
                "Should I {ask} or {ask2}?", "How do I get it back without a fight?",
                "Would you {ask}, or rather {ask2}?",
            ],
            summaries: [
                "My {rel} has had my {o} for {weeks} weeks and {excuse}.",
                "Need my {o} back [for {event}|{day}], but my {rel} {excuse}.",
                "Lent my {o} to my {rel} {weeks} weeks ago, should I {ask} or {ask2}?",
            ]),
        // Two people give conflicting advice.
        Plot(
            titles: ["Who is right about my {o}?", "My {rel} says one thing, my {rel2} another", "{Fix} or {fix2}?"],
            opening: [
                "{When} my {o} {fault}, and now I get two kinds of advice.",
                "My {o} {fault} {place}, and my family cannot agree on what to do.",
                "Since {place} my {o} {fault}, everybody knows better.",
            ],
            facts: [
                [
                    "My {rel} wants me to {fix}.", "My {rel} says I should {fix}.",
                    "My {rel} is sure that I must {fix}.",
                ],
                [
                    "My {rel2} says to {fix2}.", "My {rel2} would rather {fix2}.",
                    "On the other hand my {rel2} told me to {fix2}.",
                ],
                [
                    "I have {n} dollars for it at most.", "It must not cost more than {n} dollars.",
                    "My limit is {n} dollars.",
                ],
            ],
            question: ["Who is right?", "Whom should I believe?", "Should I {fix} or {fix2}?"],
            summaries: [
                "My {o} {fault}, my {rel} says to {fix} and my {rel2} says to {fix2}[, who is right|]?",
                "Should I {fix} or {fix2} now that my {o} {fault}?",
                "My {rel} wants me to {fix}, my {rel2} would {fix2}[, I have {n} dollars|].",
            ]),
        // Something bought second-hand fails.
        Plot(
            titles: ["Bought a bad {o}", "The seller {reaction}", "{N} dollars for nothing"],
            opening: [
                "{When} I bought {A o} for {n} dollars, and {days} days later it {fault}.",
                "I bought {A o} {when} for {n} dollars, but it {fault} after {days} days.",
                "The {o} that I bought for {n} dollars {fault} after only {days} days.",
            ],
            facts: [
                [
                    "I wrote to the seller, who {reaction}.", "The seller {reaction}.",
                    "When I called, the seller {reaction}.",
                ],
                [
                    "My {rel} thinks I should {ask}.", "My {rel} says to {ask}.",
                    "If it was up to my {rel}, I would {ask}.",
                ],
                ["I had only used it once, {place}.", "I had just tried it {place}.", "All I did was use it {place}."],
            ],
            question: ["Is my {rel} right?", "Should I {ask} or {ask2}?", "Can I still {ask2}?"],
            summaries: [
                "Bought {A o} for {n} dollars, it {fault} after {days} days and the seller {reaction}.",
                "The seller {reaction} after the {o} {fault}, [my {rel} says to|should I] {ask}?",
                "The {o} for {n} dollars {fault} after {days} days, should I {ask} or {ask2}?",
            ]),
        // An invitation to try something new.
        Plot(
            titles: ["Invited to {event}", "Never tried {skill}", "Rent or borrow {A o}?"],
            opening: [
                "My {rel} invited me to {event} {day}.", "{Event} is {day} and my {rel} invited me.",
                "I said yes when my {rel} asked me to come to {event} {day}.",
            ],
            facts: [
                [
                    "I have never tried {skill}.", "I know nothing about {skill}.",
                    "The truth is that {skill} scares me.",
                ],
                ["I would need {A o}.", "Everyone brings {A o}, and I have none.", "Without {A o} I cannot go."],
                [
                    "I could rent one for {n} dollars or borrow from my {rel2}.",
                    "Renting costs {n} dollars, but my {rel2} would lend me one.",
                ],
            ],
            question: ["Should I rent or borrow?", "How do I prepare?", "What should I know before I go?"],
            summaries: [
                "Invited to {event} [by my {rel}|{day}] but I have never tried {skill}.",
                "Should I rent {A o} for {n} dollars or borrow from my {rel2}[ for {event}|]?",
                "My {rel} invited me to {event} and I need {A o}[ by then|], [rent|should I rent] or borrow?",
            ]),
        // A search for a present.
        Plot(
            titles: ["A present for my {rel}", "Is {A o} a good present?", "{N} dollars for a present"],
            opening: [
                "I want to give my {rel} {A o} for {occasion}.",
                "My {rel} loves {skill}, so I thought of {A o} as a present.",
                "I am looking for a present for my {rel} and thought of {A o}.",
            ],
            facts: [
                ["I can spend {n} dollars.", "My limit is {n} dollars.", "It may cost {n} dollars."],
                [
                    "My {rel2} would rather give {A o2}.", "My {rel2} says {A o2} is better.",
                    "My {rel2} wants me to buy {A o2}.",
                ],
                [
                    "The old one {fault}.", "The {o} my {rel} has now {fault} {place}.",
                    "I know that the last one {fault}.",
                ],
            ],
            question: ["What would you give?", "Is that a good idea?", "Which is the better present?"],
            summaries: [
                "Is {A o} a good present for my {rel}[, I can spend {n} dollars|]?",
                "Want to give my {rel} {A o}, but my {rel2} says {A o2} is better.",
                "Should I give my {rel} {A o} or {A o2}[ for {n} dollars|]?",
            ]),
        // Two people own one thing.
        Plot(
            titles: ["Who keeps the {o}?", "Shared {A o} with my {rel}", "My {rel} wants the {o}"],
            opening: [
                "My {rel} and I bought {A o} together for {n} dollars, {months} months ago.",
                "{Months} months ago I bought {A o} together with my {rel}, for {n} dollars.",
                "My {rel} and I share {A o} that cost {n} dollars {months} months ago.",
            ],
            facts: [
                [
                    "Now my {rel} wants to take it to {event}.", "My {rel} plans to use it at {event}.",
                    "Suddenly my {rel} needs it for {event}.",
                ],
                ["I use it every week for {skill}.", "I need it for {skill}.", "Without it I cannot go on {skill}."],
                [
                    "We talked and my {rel} {reaction}.", "I offered money and my {rel} {reaction}.",
                    "My {rel} {reaction} when I asked.",
                ],
            ],
            question: ["Who should keep it?", "Should I {ask} or {ask2}?", "Is there a fair way?"],
            summaries: [
                "My {rel} and I share {A o}, [who keeps it|who should keep it] now?",
                "Bought {A o} with my {rel} {months} months ago, [now my {rel} {reaction}|my {rel} wants it for {event}].",
                "I need our {o} for {skill}, my {rel} wants it for {event}.",
            ]),
    ]
}
