"""Rules about set phrases: translations, feelings, opinions, suppositions."""

from gateway.cache.canonical.english import words_of
from gateway.cache.canonical.rule import Rule, rewriting, rule
from gateway.cache.canonical.tokens import MARK
from gateway.cache.canonical.verbs import base

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
    # Of today's phones; the first telephone was none.
    (r"^(.*\bbest .*)\b(?:mobile phone|cell phone|cellphone|smartphone)\b", r"\1phone"),
    (r"\b(?:cell phone|cellphone)\b", "mobile phone"),
    (r"\bmake money\b", "earn money"),
    (r"\b(one|i|you|we|people|to) work out\b", r"\1 exercise"),
    (r"\b(?:reduce|loose) weight\b", "lose weight"),
    (r"\b(?:in|to|at) abroad\b", "abroad"),
    (r"\btalk (?=english\b)", "speak "),
    (r"\bspoken english\b", "english speaking"),
    (r"\bno (?:one|body)\b", "nobody"),
    (r"\b(of|for) doing (?=\w)", r"\1 "),
    (r"\bchance of (\w{3,})ing\b", lambda found: f"chance to {base(found[1])}"),
    (r"\bif i (?:is|was) (?:serving|cooking for) ", "for "),
)


@rule(
    words="have mobile cell cellphone smartphone money out serving cooking united "
    "artificial chief weight spoken doing chance no abroad talk",
    same=(
        ("How can I make money?", "How can I earn money?"),
        ("Do I have to pay?", "Do I need to pay?"),
        ("Is it bad to work out daily?", "Is it bad to exercise daily?"),
        ("How do I reduce weight?", "How do I lose weight?"),
        ("Why does no one care?", "Why does nobody care?"),
        ("How can I study in abroad?", "How can I study abroad?"),
        ("How do I learn spoken English?", "How do I learn English speaking?"),
        ("Which tool is best for doing taxes?", "Which tool is best for taxes?"),
        ("What are my chances of winning?", "What are my chances to win?"),
    ),
    differ=(
        ("Should I work out?", "Should I work?"),
        ("Will it work out?", "Will it exercise?"),
        ("Should I reduce noise?", "Should I lose noise?"),
    ),
)
def set_phrases(line: str) -> str:
    """Phrases that mean the same wherever they stand."""
    return SET_PHRASES(line)


SUGGEST = "(?:(?:can|could) (?:you|anybody) )?(?:suggest|recommend) (?:me )?"
IDIOMS = rewriting(
    (r"^(?:give|write|provide) (?:me )?summary of ", "summarize "),
    (r"^what language (?:is spoken|do (?:they|people) speak) in ", "what language of "),
    (r"^(?:how|what) do it feel (?:like )?to ", "what is it like to "),
    (
        r"^(?:how|what) (?:it is|is it) like (\w{2,})ing ",
        lambda found: f"what is it like to {base(found[1])} ",
    ),
    (r"^(?:how|what) (?:it is|is it) like (?=to )", "what is it like "),
    (r"^what is it like to become ", "what is it like to be "),
    (r"^what is it like to live in ", "what is life like in "),
    (r"^who will win (?=.*\bbetween )", "who would win "),
    (r"^(why (?:is|do) \w+) still (?=\w)", r"\1 "),
    (r"^how is ((?:\w+ ){1,2})like(?= |$)", r"what is \1like"),
    (r"^how to feel about ", "what do you think about "),
    # An opinion comes with its reasons; of a fact they are asked for.
    (
        r"^((?:what|who|where) (?=.*\b(?:best|better|favorite|most|model) ).+?)"
        r"(?: [?.]| and)? why$",
        r"\1",
    ),
    (r"^(?:who is|what) (?=your favorite )", "what is "),
    # "Recommend a VPN" doesn't ask what a VPN is.
    (
        rf"^{SUGGEST}(?!(?:best|most|some) )(?=\S+(?: \S+)?$)",
        f"what is some{MARK} ",
    ),
    (rf"^{SUGGEST}", "what is "),
    (r"^what do (?:i|you|we) do (?=(?:if|when|about|with) )", "what should one do "),
    (r"^((?:what|how|where|who|when|why) )will (.+ if )", r"\1would \2"),
    (
        r"^what (?:is your (?:opinion|view|thought)|do you think)"
        r" (?:of|on|about|regarding) ",
        "what do you think about ",
    ),
    (r"^(explain \S+(?: \S+){0,2}) for ", r"\1 to "),
)


@rule(
    words="feel like suggest recommend if when about with why opinion view thought "
    "think explain summary language favorite still win",
    same=(
        ("How does it feel to fly?", "What is it like to fly?"),
        ("What is it like living in Oslo?", "What is it like to live in Oslo?"),
        ("How is life like in Oslo?", "What is life like in Oslo?"),
        ("How it is like to fly?", "What is it like to fly?"),
        ("What is it like to live in Oslo?", "What is life like in Oslo?"),
        ("Why do people still smoke?", "Why do people smoke?"),
        (
            "Who will win a fight between A and B?",
            "Who would win a fight between A and B?",
        ),
        ("How do you feel about tea?", "What do you think about tea?"),
        ("What's your favorite book? Why?", "What is your favorite book?"),
        ("Can you recommend a book?", "What are some books?"),
        ("What is your opinion on tea?", "What do you think about tea?"),
        ("Explain tides to a child", "Explain tides for a child"),
    ),
    differ=(
        ("How does it feel to fly?", "What is it like to walk?"),
        ("How is life in Oslo?", "How long is life in Oslo?"),
        ("Do people still smoke?", "Do people smoke?"),
        ("Who will win?", "Who would win?"),
        ("What is your favorite book?", "What is his favorite book?"),
        ("Explain the reasons for war", "Explain the reasons against war"),
    ),
)
def idioms(line: str) -> str:
    """Feelings, opinions, recommendations, suppositions."""
    return IDIOMS(line)


IDIOM_RULES: tuple[Rule, ...] = (translations, idioms, set_phrases)
