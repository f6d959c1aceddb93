"""Rules about owners and about words that say nothing."""

import re

from gateway.cache.canonical import articles
from gateway.cache.canonical.english import one_of, word_set
from gateway.cache.canonical.rule import rewriting, rule
from gateway.cache.canonical.tokens import MARK

FILLERS = word_set("""
    , some any really actually exactly basically ever
""")
BRACKETS = word_set("( ) -")
# Where a bracket or a dash may change what is meant.
FORMULA = re.compile(
    r"[\d+*/=^<>]|(?<![^ ])[b-z] - [a-z](?![^ ])|\( (?:[^()]* )?(?:and|or|not) [^()]*\)"
    r"|\( [^()]* (?:and|or) \w+ \)"
)
EMPTY_PHRASES = rewriting(
    # "Some of the pills" are not the pills; only to what is asked for it adds nothing.
    (
        r"^((?:what|which|who|where|when|why|how) (?:.* )?)(?:one|some|any) of "
        r"(?=(?:the|your|my|our|best|most) )",
        r"\1",
    ),
    (r"(?<![^ ])(?:at all|so much)(?: (?!$)|(?<=at all)$)", ""),
    # Some of them, any of them or all: a subject, or a function of that name.
    (
        r"^((?:is|do|did|can|could|will|would|should|was|have|may|must) (?:some|any))"
        r"(?= (?!of )\w)",
        rf"\1{MARK}",
    ),
    (r"(?<![^ ])(if any|if some)(?= )", rf"\1{MARK}"),
    (r"(?<![^ ])(some|any)(?= (?:\(|in|on|to|do|and|or|versus) |$)", rf"\1{MARK}"),
    (r"(?<![^ ])so (?!that )(?=(?:, )?\w)", ""),
    (r"(?<![^ ])in order (?=to )", ""),
)
IN_EMPTY_PHRASES = word_set("one some any all so order")
EMPTY_OF = rewriting(
    (r"^((?:what|who|which) is )(?:few )?of (?=\w)", r"\1"),
)


@rule(
    same=(
        ("Who wrote the constitution of Peru?", "Who wrote constitution of Peru?"),
        ("What does it really mean?", "What does it mean?"),
        ("What are some of the best books?", "What are the best books?"),
        ("So, why do cats purr?", "Why do cats purr?"),
    ),
    differ=(
        ("Who made The Wall?", "Who made the wall?"),
        *articles.TELLING,
    ),
)
def empty_words(line: str) -> str:
    """Words that say nothing: fillers, commas, most articles and brackets."""
    if '" , "' in line:
        line = line.replace('" , "', f'" ,{MARK} "')
    words = line.split(" ")
    unique = set(words)
    if not IN_EMPTY_PHRASES.isdisjoint(unique):
        words = EMPTY_OF(EMPTY_PHRASES(line)).split(" ")
    elif "of" in unique:
        words = EMPTY_OF(line).split(" ")
    if not BRACKETS.isdisjoint(unique) and not FORMULA.search(line):
        words = [word for word in words if word not in BRACKETS]
    if not articles.ARTICLES.isdisjoint(unique):
        words = [
            word
            for before, word, after in zip(
                ["", *words], words, [*words[1:], ""], strict=False
            )
            if word not in articles.ARTICLES or articles.tells(before, word, after)
        ]
    if words[:3] == ["what", "is", "some"] and len(words) == 4:
        words[2] += MARK  # "what are some books" doesn't ask what books are
    return " ".join([word for word in words if word and word not in FILLERS])


WORD_ITSELF = rewriting(
    (
        r"^(what (?:do|is (?:the )?(?:meaning|definition) of)) the (?:word|term) "
        r"(?=\S+(?: mean)?$)",
        r"\1 ",
    ),
)


@rule(
    words="word term",
    same=(
        ("What is the definition of the term entropy?", "What is entropy?"),
        ("What's the meaning of the term 'rue'?", "What does the word 'rue' mean?"),
    ),
    differ=(
        ("What does the term life insurance mean?", "What does insurance mean?"),
        ("What does word order mean?", "What does order mean?"),
        ("What is the meaning of term insurance?", "What is insurance?"),
    ),
)
def word_itself(line: str) -> str:
    """Whose meaning is asked is a word: "the word" before it says nothing."""
    return WORD_ITSELF(line)


NOT_OWNERS = one_of("""
    is was do did have can and or not to in of for with on at from that explain tell
    give show write list name find summarize compare translate
""")
POSSESSIVE = re.compile(
    r"^((?:(?:what|who|where|when|how \w+) (?:is|was) )?)"
    rf"((?:(?!{NOT_OWNERS} )\w+ ){{1,3}}?)"
    r"'s ((?:(?!'s )\S+(?: |$))+)$"
)


@rule(
    words="'s",
    same=(
        ("What's Peru's capital?", "What is the capital of Peru?"),
        ("Where is the dog's bowl?", "Where is the bowl of the dog?"),
        ("Peru's capital?", "The capital of Peru?"),
        ("How can I read my website's logs?", "How can I read my website logs?"),
    ),
    differ=(
        ("Does she love Bob's dog?", "Does the dog of she love Bob?"),
        ("What is Peru's capital?", "What is the Peru of capital?"),
        ("What is Alice's brother's name?", "What is Alice's name?"),
        ("Who is Alice and Bob's aunt?", "Who is Alice and the aunt of Bob?"),
        ("Is it the dog's?", "Is it the dogs?"),
    ),
)
def possessive(line: str) -> str:
    """Y's X -> X of Y, right after "what is"; elsewhere only the 's goes."""
    if found := POSSESSIVE.match(line):
        verb, owner, owned = found.groups()
        return f"{verb}{owned.strip()} of {owner.strip()}"
    return line.replace(" 's ", " ")


RELATION = one_of("""
    symptom advantage disadvantage ingredient capital currency population president
    height weight size age length depth meaning definition purpose history
""")
RELATED = re.compile(
    rf"^((?:what|who) (?:is|was) )((?:first|last) )?(?!(?:first|last|{NOT_OWNERS}) )"
    rf"(\w+) ({RELATION})$"
)


@rule(
    words="what who",
    same=(
        ("What are flu symptoms?", "What are the symptoms of the flu?"),
        ("Who was the first US president?", "Who was the first president of the US?"),
    ),
    differ=(
        ("What are flu symptoms?", "What is the flu of symptoms?"),
        ("What is Peru's capital?", "What is Peru's currency?"),
    ),
)
def relations(line: str) -> str:
    """The Y of X, said as X Y."""
    if found := RELATED.match(line):
        return f"{found[1]}{found[2] or ''}{found[4]} of {found[3]}"
    return line


DO = re.compile(
    r"^((?:what|when|where|why|how)(?: (?!(?:to|is|can|should|do) )\S+){0,3}?)"
    r" do (?=\S+ \S)"
)


WORKS = re.compile(r"^(how (?!to ).*)works$")


@rule(
    words="do works",
    same=(("How many times does it run?", "How many times it runs?"),),
    differ=(
        ("Do dogs eat grapes?", "Dogs eat grapes?"),
        ("What did dogs eat?", "What do dogs eat?"),
    ),
)
def do_support(line: str) -> str:
    """A "do" that only helps to ask says nothing."""
    return WORKS.sub(r"\1work", DO.sub(r"\1 ", line))


# "Why are dogs hit" isn't "why do dogs hit".
UNCHANGED = one_of("hit hurt cut put let set shut split read run beat cast quit shed")
WHY_IS = re.compile(rf"^why is (?=\w+ \w)(?!.* {UNCHANGED}(?: |$))")


@rule(
    words="why",
    same=(("What makes the sky blue?", "Why is the sky blue?"),),
    differ=(("Why was the sky blue?", "Why is the sky blue?"),),
)
def why_is(line: str) -> str:
    """As "what makes the sky blue" has no "is"."""
    return WHY_IS.sub("why ", line)


@rule(
    words="what",
    same=(
        ("What is the capital of Peru?", "capital of Peru"),
        ("What is 2+2?", "2+2"),
    ),
    differ=(
        ("What was the capital of Peru?", "What is the capital of Peru?"),
        ("What is entropy?", "entropy"),
    ),
)
def what_is(line: str) -> str:
    """A "what is" before several words asks no more than they do."""
    if line.startswith("what is ") and " " in line[8:]:
        return line[8:]
    return line
