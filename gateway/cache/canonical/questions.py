"""Rules about the forms one question can take, by what it asks for."""

import re

from gateway.cache.canonical.english import one_of
from gateway.cache.canonical.numbers import UNIT_NAMES
from gateway.cache.canonical.rule import Rule, rewriting, rule

PLACE = one_of("place location city town")
LANDSCAPE = one_of(
    "canal river lake mountain desert volcano island sea fall valley bay"
)
WHEN_WHERE = rewriting(
    (r"^(?:on |in |at )?what (?:date|year) (was|is|did|do|will)\b", r"when \1"),
    # The hour, the weekday, the month and the country are not one another.
    (r"^(?:at )?what time (do .+ (?:open|close))$", r"when \1"),
    (r"^(?:on )?what day (was|did) ", r"when \1 "),
    (rf"^(?:in )?what country (is .*{LANDSCAPE}(?:| located| situated))$", r"where \1"),
    (r"^(?:on |in |at )(?=what (?:time|day|month|country|state) )", ""),
    (
        rf"^(?:in |at )?what {PLACE} (is|was) (.+)"
        r" (born|located|based|headquartered|situated|founded)$",
        r"where \1 \2 \3",
    ),
    (rf"^(?:in |at )what {PLACE} (is|was|do|did) ", r"where \1 "),
    (rf"^what {PLACE} is (?=capital |headquarters |largest |smallest )", "what is "),
    (r"\bcapital city\b", "capital"),
    (r"^where is (.+) (?:headquartered|based)$", r"where is headquarters of \1"),
    (r"^where is (.+) (?:located|situated)$", r"where is \1"),
    (
        r"^((?:who|what|when|where) .*?)\b((?:19|20)\d\d) "
        rf"(?!(?:in|to|of|and|or|{UNIT_NAMES}) )(?=\w{{3}})(\w+(?: \w+){{0,2}})$",
        r"\1\3 in \2",
    ),
    (r"^what is location of (.+)$", r"where is \1"),
    (
        r"^what is (?:date of birth|birth date|birthdate|birthday) of (.+)$",
        r"when was \1 born",
    ),
    (r"^what is (?:date of death|death date) of (.+)$", r"when did \1 die"),
    (
        r"^where (?:can (?:one|i|you|we)|do i|do you) (?:find|get) ",
        "where can one get ",
    ),
)


@rule(
    words="when where what who",
    same=(
        ("On what date was Ada Lovelace born?", "When was Ada Lovelace born?"),
        ("Where is Siemens based?", "In which city is the headquarters of Siemens?"),
        ("Which city is the capital of Peru?", "What is the capital of Peru?"),
        ("What is Ada Lovelace's birthday?", "When was Ada Lovelace born?"),
        ("Who won the 2002 World Cup?", "Who won the World Cup in 2002?"),
    ),
    differ=(
        ("When was Ada Lovelace born?", "Where was Ada Lovelace born?"),
        ("Who won the 2002 World Cup?", "Who won the World Cup in 2006?"),
        ("Which city is the oldest of Peru?", "What is the capital of Peru?"),
        ("What is the largest city of Peru?", "What is the largest of Peru?"),
    ),
)
def when_and_where(line: str) -> str:
    """Days and places."""
    return WHEN_WHERE(line)


WHY = rewriting(
    (r"^what is (?:reason|cause) (?:that|why|for which|behind why) ", "why "),
    (r"^(?:for what reason|how come|why is it that) ", "why "),
    (r"^what is reason (?!for |of |to |behind )(?=.+ (?:is|was) )", "why "),
    (r"^why do (.+) (?:happen|occur)$", r"what is cause of \1"),
    (r"^what make (\S+ \S+(?: .+)?)$", r"why \1"),
    (r"^what cause (.+)$", r"what is cause of \1"),
    (r"^why (do|is) (?:we|human) ", r"why \1 people "),
)


@rule(
    words="why what reason cause come",
    same=(
        ("What makes bread rise in the oven?", "Why does bread rise in the oven?"),
        ("How come bread rises?", "Why does bread rise?"),
        ("What causes tides?", "What are the causes of tides?"),
        ("What causes tides?", "Why do tides happen?"),
        ("What makes the sky blue?", "Why is the sky blue?"),
        ("What is the reason the sky is blue?", "Why is the sky blue?"),
        ("Why are we so afraid?", "Why are people so afraid?"),
    ),
    differ=(
        ("What makes bread?", "Why does bread?"),
        ("Why does bread rise?", "How does bread rise?"),
    ),
)
def why(line: str) -> str:
    """Reasons and causes."""
    return WHY(line)


MEANING = rewriting(
    (r"^what is meaning of (?=(?:human )?life$)", "what is purpose of "),
    (r"^what is (?:meaning|definition) of (?!\d)(.+)$", r"what is \1"),
    (r"^what do (?!\d)(.+) mean$", r"what is \1"),
    (r"^what is (?:meant|mean) by (.+)$", r"what is \1"),
    (r"^define ", "what is "),
    (r"^what is use of (.+)$", r"what is \1 used for"),
    (r"^what is full form of (.+)$", r"what do \1 stand for"),
    (r"^what is (\w+) short for$", r"what do \1 stand for"),
    (r"^what is (this|that|it) (print|do|mean|return|output)\b", r"what do \1 \2"),
    (r"^what is output of (\S+)", r"what do \1 print"),
    (r"^what do (\S+) output$", r"what do \1 print"),
)


@rule(
    words="meaning definition mean meant define use purpose form what",
    same=(
        ("What's the meaning of entropy?", "What is entropy?"),
        ("What is the meaning of life?", "What is the purpose of life?"),
        ("What does entropy mean?", "Define entropy"),
        ("What does HTML stand for?", "What is the full form of HTML?"),
        ("What does HTML stand for?", "What is HTML short for?"),
    ),
    differ=(
        ("What does entropy mean?", "What does entropy do?"),
        ("What is the use of entropy?", "What is entropy?"),
        ("What is the meaning of life insurance?", "What is life insurance for?"),
        ("What does term insurance mean?", "What does insurance mean?"),
        ("What does HTML stand for?", "What is HTML for?"),
    ),
)
def meaning(line: str) -> str:
    """Definitions."""
    return MEANING(line)


DIFFERENCE = rewriting(
    (r"^explain (?=difference between )", "what is "),
    (r"^(\w+) versus (\w+)$", r"what is difference between \1 and \2"),
    (r"^how do (.+ and .+) differ$", r"what is difference between \1"),
    (r"^how do (.+) differ from (.+)$", r"what is difference between \1 and \2"),
    (
        r"^(?:what|how) (?:is|do) (.+) (?:different|differ) (?:from|to|than) (.+)$",
        r"what is difference between \1 and \2",
    ),
    (
        r"^what (?:distinguish|separate) (.+) from (.+)$",
        r"what is difference between \1 and \2",
    ),
    (r"^(?:what is )?difference (?:of|among|in) ", "what is difference between "),
    (r"\bless expensive\b|\bmore (?:affordable|inexpensive)\b", "cheaper"),
    (r"^do (.+) cost less than ", r"is \1 cheaper than "),
    (r"^do (.+) cost more than ", r"is \1 more expensive than "),
    (
        r"^(is .+ (?:\w+er|more \w+|less \w+)) (?:compared|in comparison) (?:to|with) ",
        r"\1 than ",
    ),
    (r"^(?:what|is there) (?=(?:difference|relation(?:ship)?) between )", "what is "),
    (r"\brelation (?=between )", "relationship "),
    (r"^(.+) or (.+?) what is (better|cheaper|faster|best)$", r"what is \3 \1 or \2"),
)
OR = re.compile(
    r"^(what is (?:better|cheaper|faster|best|more \w+)) (.+) (?:or|versus) (.+)$"
)


@rule(
    words="difference differ different distinguish separate expensive cost compared "
    "relation relationship "
    "comparison affordable inexpensive better cheaper faster best more versus",
    same=(
        (
            "How does Redis differ from Kafka?",
            "What is the difference between Redis and Kafka?",
        ),
        ("Does coal cost less than gas?", "Is coal cheaper than gas?"),
        ("Compared to gas, is coal cheaper?", "Is coal cheaper than gas?"),
        ("Which is better, tea or coffee?", "Which is better, coffee or tea?"),
        (
            "Is there any difference between tea and coffee?",
            "What is the difference between tea and coffee?",
        ),
        (
            "What is the relation between heat and work?",
            "What is the relationship between heat and work?",
        ),
    ),
    differ=(
        ("Is there a relation between A and B?", "Is there a fight between A and B?"),
        ("Is coal cheaper than gas?", "Is gas cheaper than coal?"),
        ("Is coal less expensive than gas?", "Is coal more expensive than gas?"),
        ("How is tea different from coffee?", "How is tea similar to coffee?"),
    ),
)
def comparisons(line: str) -> str:
    """What makes one thing another, or better."""
    line = DIFFERENCE(line)
    if found := OR.match(line):
        one, other = sorted(found.group(2, 3))
        return f"{found[1]} {one} or {other}"
    return line


WEAK = """
    main major basic key core primary exact actual real true fundamental different
    various important possible common
"""
OF_A_KIND = one_of("""
    type kind form principle difference reason cause advantage disadvantage purpose
    feature source function role use meaning example effect symptom thing
""")
KINDS = rewriting(
    (rf"^(what is )(?:most )?{one_of(WEAK)} (?={OF_A_KIND}\b)", r"\1"),
    # Twice a superlative; "the most expensive cars" are not expensive ones.
    (r"^(what is )most (?=\w{3,}est |(?:interesting|amazing) )", r"\1"),
    (
        r"^what is ((?:\w+ ){0,2}?\w+) (?:that|which|what)"
        r" (?=(?!(?:is|was|i|you|we) )\w+ )",
        r"what \1 ",
    ),
    (r"^(what \w+) have (.+) in (?:them|it)$", r"\1 contain \2"),
    (r"(?<!so) that (?=(?:i|you|we|he|she|they|people) )", " "),
    (r"^what is reason behind ", "what is reason for "),
    (
        r"^what is reason (?:for|of) ((?!\w+ing\b)\w+(?: (?!\w+ing\b)\w+)?)$",
        r"what is cause of \1",
    ),
    (r"^what (?:would|could|can|may|might) be (?!.* if )", "what is "),
    # One question after another, or both at once.
    (r"^(what is .+?) [?.] (?=(?:what|how|why|when|where|who) (?!if ))", r"\1 and "),
    (
        r"\b(?:amazing|surprising|fascinating|cool|awesome|mind blowing) (?=fact\b)",
        "interesting ",
    ),
    (r"\b(believe|think|know|say) that (?=\w+ \w)", r"\1 "),
    (r"\bimpact (?=(?:of|on) )", "effect "),
    (r"^when is (?=best time )", "what is "),
)


@rule(
    words=WEAK + "most that which what them it behind would could can may might when "
    "amazing surprising fascinating cool awesome mind impact",
    same=(
        ("What are the main reasons for war?", "What are the reasons for war?"),
        ("What foods have lactose in them?", "Which foods contain lactose?"),
        ("What are some foods that contain lactose?", "Which foods contain lactose?"),
        ("What are things that you love?", "What are things you love?"),
        ("What could be the cause of hail?", "What is the cause of hail?"),
        (
            "What is a vector? What are some examples?",
            "What is a vector and what are some examples?",
        ),
        ("What are amazing facts about Peru?", "What are interesting facts of Peru?"),
        ("Do cats think that dogs are bad?", "Do cats think dogs are bad?"),
        ("What is the impact of hail on us?", "What is the effect of hail on us?"),
        ("What are the reasons for hair loss?", "What causes hair loss?"),
    ),
    differ=(
        ("What are the reasons for war?", "What are the reasons against war?"),
        ("Which foods contain lactose?", "Which foods contain no lactose?"),
        ("What are the reasons for smoking?", "What causes smoking?"),
        ("What are cool drinks?", "What are interesting drinks?"),
        ("What is a vector? Who is Bob?", "What is a vector?"),
    ),
)
def kinds(line: str) -> str:
    """Kinds of things."""
    return KINDS(line)


@rule(
    words="which",
    same=(("Which is the longest river?", "What is the longest river?"),),
    differ=(("Who is the king of Spain?", "Where is the king of Spain?"),),
)
def what_or_which(line: str) -> str:
    """Which is what."""
    return line.replace("which", "what") if "which" in line else line


QUESTIONS: tuple[Rule, ...] = (
    when_and_where,
    why,
    meaning,
    comparisons,
    kinds,
)
