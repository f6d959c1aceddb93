"""Rules about set phrases: translations, feelings, opinions, suppositions."""

from gateway.cache.canonical.english import words_of
from gateway.cache.canonical.rule import Rule, rewriting, rule

VERBATIM = r'("[^"]*")'
TRANSLATION = rewriting(
    (rf"^(?:how to say|what is|translate) {VERBATIM} in (\w+)$", r"translate \1 to \2"),
)


@rule(
    same=(
        ('How do you say "no" in Thai?', 'Translate "no" to Thai'),
        ('What is "no" in Thai?', 'Translate "no" into Thai'),
    ),
    differ=(
        ('How do you say "no" in Thai?', 'Translate "no" to Lao'),
        ('How do you say "no" in Thai?', 'Translate "yes" to Thai'),
        ('Translate "no" to Thai', 'Translate "no" from Thai'),
    ),
)
def translations(line: str) -> str:
    """A quotation in another language."""
    return TRANSLATION(line) if line.endswith(LANGUAGES) and '"' in line else line


# A word after "in" that is none of these may be a place or a time.
LANGUAGES = tuple(
    f" {name}"
    for name in words_of("""
        arabic bengali bulgarian cantonese chinese croatian czech danish dutch english
        estonian finnish french german greek hebrew hindi hungarian icelandic indonesian
        irish italian japanese korean lao latin latvian lithuanian malay mandarin
        norwegian persian polish portuguese punjabi romanian russian serbian slovak
        spanish swahili swedish tagalog tamil telugu thai turkish ukrainian urdu
        vietnamese welsh
    """)
)
SET_PHRASES = rewriting(
    (r"\bunited state(?: of america)?\b", "usa"),
    (r"\bunited kingdom\b", "uk"),
    (r"\bchief executive officer\b", "ceo"),
    (r"\bartificial intelligence\b", "ai"),
    (r"\bhave to\b", "need to"),
    (r"\b(?:mobile|cell) phone\b", "phone"),
    (r"\bmake money\b", "earn money"),
    (r"\b(one|i|you|we|people|to) work out\b", r"\1 exercise"),
    (r"\bif i (?:is|was) (?:serving|cooking for) ", "for "),
)


@rule(
    words="have mobile cell money out serving cooking united artificial chief",
    same=(
        ("How can I make money?", "How can I earn money?"),
        ("Do I have to pay?", "Do I need to pay?"),
        ("Is it bad to work out daily?", "Is it bad to exercise daily?"),
    ),
    differ=(
        ("Should I work out?", "Should I work?"),
        ("Will it work out?", "Will it exercise?"),
    ),
)
def set_phrases(line: str) -> str:
    """Phrases that mean the same wherever they stand."""
    return SET_PHRASES(line)


IDIOMS = rewriting(
    (r"^(?:give|write|provide) (?:me )?summary of ", "summarize "),
    (r"^what language (?:is spoken|do (?:they|people) speak) in ", "what language of "),
    (r"^(?:how|what) do it feel (?:like )?to ", "what is it like to "),
    (r"^what is it like being ", "what is it like to be "),
    (r"^(?:(?:can|could) (?:you|anybody) )?(?:suggest|recommend) (?:me )?", "what is "),
    (r"^what do (?:i|you|we) do (?=(?:if|when|about|with) )", "what should one do "),
    (r"^((?:what|how|where|who|when|why) )will (.+ if )", r"\1would \2"),
    (r"^((?:what|who|where|when) .+?)(?: and| \?) why$", r"\1"),
    (
        r"^what (?:is your (?:opinion|view|thought)|do you think)"
        r" (?:of|on|about|regarding) ",
        "what do you think about ",
    ),
    (r"^(explain \S+(?: \S+){0,2}) for ", r"\1 to "),
)


@rule(
    words="feel being suggest recommend if when about with why opinion view thought "
    "think explain summary language",
    same=(
        ("How does it feel to fly?", "What is it like to fly?"),
        ("Can you recommend a book?", "What are some books?"),
        ("What is your opinion on tea?", "What do you think about tea?"),
        ("Explain tides to a child", "Explain tides for a child"),
    ),
    differ=(
        ("How does it feel to fly?", "What is it like to walk?"),
        ("Explain the reasons for war", "Explain the reasons against war"),
    ),
)
def idioms(line: str) -> str:
    """Feelings, opinions, recommendations, suppositions."""
    return IDIOMS(line)


IDIOM_RULES: tuple[Rule, ...] = (translations, idioms, set_phrases)
