"""Rules about how much of something there is."""

from gateway.cache.canonical.rule import Rule, rewriting, rule

COUNT = rewriting(
    (r"^how many (?:people|inhabitant) live in (.+)$", r"what is population of \1"),
    (
        r"^how many (?:people|inhabitant) (?:do|is there in|is in) (.+?)(?: have)?$",
        r"what is population of \1",
    ),
    (r"^(?:what is )?(?:height|elevation) of (.+)$", r"how tall is \1"),
    (r"^how high is ", "how tall is "),
    (r"^(?:what is )?age of (.+)$", r"how old is \1"),
    (r"^(?:what is )?weight of (.+)$", r"how heavy is \1"),
    (r"^how much do (.+) weigh$", r"how heavy is \1"),
    (r"^(?:what is )?depth of (.+)$", r"how deep is \1"),
    (r"^(?:what is )?size of (.+)$", r"how large is \1"),
    (r"^(?:what is )?cost of (.+)$", r"how much is \1"),
    (r"^(?:how much|what) do (.+) cost$", r"how much is \1"),
    (r"^(?:what is )?(?:duration|length) of ", "how long is "),
    (r"^what is (\w+) (?:time|duration) from ", r"how long is \1 from "),
    (r"^(?:for how long|how much time) ", "how long "),
    (r"^what is (?:time (?:needed|required|it take)) to ", "how long do it take to "),
    (r"^(?:what is )?distance from ", "how far is it from "),
    (r"^how far is (?=between )", "what is distance "),
    (r"^count (?:number of )?(\w+) (?:in|of) ", r"how many \1 is in "),
    (r"^(?:what is )?number of (\w+) (?:in|of) ", r"how many \1 is in "),
    (r"^(how many \w+) is there (?:in|at) ", r"\1 is in "),
    (r"^how far away ", "how far "),
    (r"^(how many \w+) do (.+) (?:have|contain)$", r"\1 is in \2"),
    (r"^what currency (?:is used|do people use) in (.+)$", r"what is currency of \1"),
    (r"^what (\w+) do (.+) (?:have|use|contain)$", r"what is \1 of \2"),
    (r"^what (\w+) is (?:there |found |contained )?in (.+)$", r"what is \1 of \2"),
    (r"\bper (?=day|week|month|year|hour|minute|second|night)", ""),
)


@rule(
    words="how height elevation age weight depth size cost duration length time count "
    "number distance currency per have use contain in found",
    same=(
        ("How many people live in Kenya?", "What is the population of Kenya?"),
        ("What is the height of K2?", "How tall is K2?"),
        (
            "How long is a flight from Rome to Oslo?",
            "What is the flight time from Rome to Oslo?",
        ),
        ('Count the letters in "abc"', 'How many letters are in "abc"?'),
        ("Which currency does Peru use?", "What is the currency of Peru?"),
    ),
    differ=(
        ("How many people live in Kenya?", "How many people visit Kenya?"),
        (
            "How long is a flight from Rome to Oslo?",
            "How long is a flight from Oslo to Rome?",
        ),
        ("How old is K2?", "How tall is K2?"),
    ),
)
def amounts(line: str) -> str:
    """How much of something there is."""
    return COUNT(line)


AMOUNTS: tuple[Rule, ...] = (amounts,)
