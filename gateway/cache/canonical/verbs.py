"""Rules about verbs: who does it, who may, whether it is said actively."""

import re

from gateway.cache.canonical.english import one_of, words_of
from gateway.cache.canonical.rule import Rule, rewriting, rule
from gateway.cache.canonical.tokens import MARK
from gateway.cache.canonical.typos import WORDS

# Not somebody or anybody, who may be another one: "can anyone see my profile".
ANYONE = "(?:i|you|we|one|person)"
# What only whoever is spoken to can tell about itself, as a model or a person.
ITS_OWN = one_of("""
    access read write hear speak understand remember draw sing lie keep_secret browse
    search generate translate predict forget reason think feel be_trusted be_hacked
    be_wrong be_friend be_replaced be_sure be_biased
""")
ABOUT_YOU = re.compile(
    r"^(?:(?:what|where|when|why|who)(?: \w+){0,2} )?(?:can|could|may|might)"
    rf" you (?:{ITS_OWN}(?![^ ])|\w+$|do for \w+$)"
    r"|^how (?:can|do) you (?:work|sleep|eat|live|learn|think|help \w+)$"
)
FOR_ANYONE = r"(?: for (?:me|you|one|us|somebody|people|person))?"
MAY = "(?:can|may|could|might)"

PERMISSION = rewriting(
    (rf"^{MAY} {ANYONE} (safely|legally) ", r"is it \1 to "),
    (
        rf"^is it (?:possible|okay|allowed|feasible|fine|permitted){FOR_ANYONE} to ",
        "can one ",
    ),
    (r"^is it (?:possible|okay|allowed) for (\w+) to ", r"can \1 "),
    (rf"^{MAY} {ANYONE} ", "can one "),
    (rf"^is {ANYONE} (?:allowed|permitted|able) to ", "can one "),
    (
        r"^is it (?:good|good idea|good thing|advisable|recommended|wise)"
        rf"{FOR_ANYONE} to ",
        "should one ",
    ),
    (rf"^(?:should|ought) {ANYONE} (?:to )?", "should one "),
    (rf"^do {ANYONE} (?:need|have) to ", "do one need to "),
    (rf"^is it (?:necessary|needed|required){FOR_ANYONE} to ", "do one need to "),
    (r"^is there (?:possibility|chance) (?:to|of) ", "can one "),
    (
        r"^(what|which|where|when|why|how|who)((?: \w+){0,2}) (can|could|should)"
        rf" {ANYONE} ",
        r"\1\2 \3 one ",
    ),
    (
        rf"^(how (?:long|much|many|often)(?: \w+)?) do {ANYONE} (?:need|have) to ",
        r"\1 should one ",
    ),
    (r"^is it (safe|legal)ly to ", r"is it \1 to "),
    (r"^is ((?:\w+ ){1,3}?)able to ", r"can \1"),
)


@rule(
    words="can could may might should ought possible okay allowed good advisable wise "
    "recommended fine feasible permitted need have possibility chance able necessary "
    "needed required",
    same=(
        ("Is it possible to freeze rice?", "Can I freeze rice?"),
        ("Can you legally collect rainwater?", "Is it legal to collect rainwater?"),
        ("Where can I buy stamps?", "Where can you buy stamps?"),
        ("How long should I cook rice?", "How long do I need to cook rice?"),
        ("Is it a good idea to freeze rice?", "Should I freeze rice?"),
    ),
    differ=(
        ("Is it safe to eat?", "Is it legal to eat?"),
        ("Is it possible to freeze rice?", "Is it necessary to freeze rice?"),
        ("May I eat rice?", "Must I eat rice?"),
        ("Can I freeze rice?", "Should I freeze rice?"),
        ("Do I need to freeze rice?", "Should I freeze rice?"),
        ("Can I freeze rice?", "Can he freeze rice?"),
    ),
)
def permission(line: str) -> str:
    """Whether something can or should be done, whoever does it."""
    if " you " in line and ABOUT_YOU.match(line):
        return line
    asked = PERMISSION(line)
    if asked.startswith(("can one ", "should one ")):
        return without_owner(asked, " your " if line[:8] == "can you " else " my ")
    return asked


# To find my phone isn't to find a phone: what one gets is new, or one's own.
GETTING = words_of("find get have meet adopt choose marry see buy")


def without_owner(line: str, own: str) -> str:
    """Without the "my" or "your" that only repeats who does it. The other one is
    marked, so that no rule takes it for that on another look."""
    for other in (" my ", " your "):
        if other != own:
            line = line.replace(other, f"{other[:-1]}{MARK} ")
    got = any(f" {verb}{own}" in line for verb in GETTING)
    return line.replace(own, " my " if got else " ")


JUDGED = one_of("""
    safe legal illegal good bad okay possible healthy unhealthy dangerous necessary
    useful wrong
""")
GERUND = re.compile(
    rf"^is (\w+)ing ((?:(?!is |was )\S+ )*)({JUDGED})((?: (?:in|for|at|on) .+)?)$"
)


@rule(
    words="safe legal illegal good bad okay possible healthy unhealthy dangerous "
    "necessary useful wrong",
    same=(
        ("Is taking aspirin with milk safe?", "Is it safe to take aspirin with milk?"),
        ("Is collecting rainwater legal?", "Is it legal to collect rainwater?"),
        ("Is owning a cat legal in Peru?", "Is it legal to own a cat in Peru?"),
    ),
    differ=(("Is taking aspirin safe?", "Is it safe to give aspirin?"),),
)
def gerund_subject(line: str) -> str:
    """Doing something is safe: it is safe to do it."""
    found = GERUND.match(line)
    if not found:
        return line
    verb, what, judged, where = found.groups()
    return f"is it {judged} to {base(verb)} {what}".strip() + where


def base(stem: str) -> str:
    """The verb without ing or ed: tak -> take, stopp -> stop, cook -> cook."""
    if stem + "e" in WORDS and (stem not in WORDS or stem[-1] in "cgvuz"):
        return stem + "e"
    doubled = len(stem) > 3 and stem[-1] == stem[-2]
    return stem[:-1] if doubled and stem not in WORDS else stem


AGENTS = {
    "founder": "founded", "inventor": "invented", "author": "wrote", "writer": "wrote",
    "creator": "created", "discoverer": "discovered", "winner": "won",
    "director": "directed", "composer": "composed", "painter": "painted",
    "designer": "designed", "builder": "built", "developer": "developed",
    "killer": "killed", "maker": "made",
}  # fmt: skip
# Who has something, or a post, now isn't who once had it.
POSTS = {"owner": "own", "producer": "produced", "singer": "sang"}
AGENT = re.compile(
    rf"^who (?:(?:is|was) ({'|'.join(AGENTS)})|is ({'|'.join(POSTS)})) (?:of|behind) "
)
OFFICE = re.compile(
    r"^who (?:is|was) director of .*\b(?:fbi|cia|nsa|nasa|company|firm|agency|school|"
    r"hospital|bank|museum|institute|department|office|center|organization)\b"
)
BY_WHOM = re.compile(
    r"^(?:by (?:whom|who) (?:is|was) (.+) (\w+)"
    r"|(?:who|whom) (?:is|was) (.+) (\w+) by"
    r"|(.+?) (?:is|was) (\w+) by (?:whom|who))$"
)
# Participle -> past, as in "was written by" and "wrote".
PASTS = {
    "written": "wrote", "built": "built", "made": "made", "won": "won", "sung": "sang",
    "drawn": "drew", "taken": "took", "given": "gave", "found": "found",
    "shot": "shot", "led": "led", "sold": "sold", "known": "knew", "begun": "began",
}  # fmt: skip


@rule(
    words="who whom",
    same=(
        ("Who is the founder of Ikea?", "Who founded Ikea?"),
        ("Who's Ikea's founder?", "Who founded Ikea?"),
        ("Who was the light bulb invented by?", "Who invented the light bulb?"),
        ("Dune was written by whom?", "Who is the author of Dune?"),
        ("By whom was Dune written?", "Who wrote Dune?"),
        ("Who is the owner of Ikea?", "Who owns Ikea?"),
        ("Who is the director of Inception?", "Who directed Inception?"),
    ),
    differ=(
        ("Who is the founder of Ikea?", "Who runs Ikea?"),
        ("Who killed Bob?", "Who did Bob kill?"),
        ("Who is Alice loved by?", "Who does Alice love?"),
        ("Who is the owner of Ikea?", "Who was the owner of Ikea?"),
        ("Who is the director of the FBI?", "Who was the director of the FBI?"),
        ("Who is the singer of Queen?", "Who was the singer of Queen?"),
    ),
)
def agents(line: str) -> str:
    """Who did it: the noun for the doer and the passive are the verb."""
    if (found := AGENT.match(line)) and not OFFICE.match(line):
        verb = AGENTS[found[1]] if found[1] else POSTS[found[2]]
        return f"who {verb} {line[found.end() :]}"
    if found := BY_WHOM.match(line):
        what, verb = (group for group in found.groups() if group)
        if verb.endswith("ed") or verb in PASTS:
            return f"who {PASTS.get(verb, verb)} {what}"
    return line


# Participle -> verb, as in "can be frozen" and "can freeze".
VERBS = {
    "frozen": "freeze", "eaten": "eat", "made": "make", "taken": "take",
    "given": "give", "built": "build", "broken": "break", "written": "write",
    "sent": "send", "drunk": "drink", "grown": "grow", "kept": "keep", "sold": "sell",
    "bought": "buy", "worn": "wear", "driven": "drive", "hidden": "hide",
    "stolen": "steal", "thrown": "throw", "done": "do", "found": "find", "seen": "see",
    "left": "leave", "paid": "pay", "put": "put", "cut": "cut", "read": "read",
    "run": "run", "set": "set", "reset": "reset", "shut": "shut", "split": "split",
    "won": "win", "told": "tell", "taught": "teach", "caught": "catch",
    "understood": "understand", "held": "hold", "fed": "feed", "shown": "show",
}  # fmt: skip
PASSIVE = re.compile(
    r"^(how )?(can|should|could) ((?:(?!not |be |one )\w+ ){1,3}?)be (\w+)"
    r"((?: (?!by )\S+)*)$"
)


@rule(
    words="be",
    same=(
        ("Can salmon be frozen?", "Can I freeze salmon?"),
        ("How can rice be stored?", "How do I store rice?"),
    ),
    differ=(
        ("Can salmon be frozen?", "Can I eat salmon?"),
        ("Can dogs be bitten by cats?", "Can dogs bite cats?"),
    ),
)
def passive(line: str) -> str:
    """What can be done: what one can do."""
    found = PASSIVE.match(line)
    if not found:
        return line
    how, may, what, participle, rest = found.groups()
    verb = VERBS.get(participle)
    if verb is None and participle.endswith("ed"):
        verb = base(participle[:-2])
    if verb is None:
        return line
    return f"{'how to' if how else may + ' one'} {verb} {what.strip()}{rest}"


# Past -> verb, in the clause that says what would have to happen.
UNREAL = {
    "bit": "bite", "ate": "eat", "went": "go", "came": "come", "fell": "fall",
    "broke": "break", "lost": "lose", "won": "win", "got": "get", "had": "have",
    "took": "take", "gave": "give", "left": "leave", "drank": "drink", "died": "die",
    "swallowed": "swallow", "touched": "touch", "stopped": "stop", "hit": "hit",
    "disappeared": "disappear", "was": "is", "did": "do", "stung": "sting",
}  # fmt: skip
HAPPENS = re.compile(r"^what (?:(will|would) )?happen ((?:to .+?)?(?:if|when) .+)$")


@rule(
    words="happen",
    same=(
        ("What happens if a dog bites a cat?", "What would happen if a dog bit a cat?"),
        ("What will happen if I stop smoking?", "What happens if I stop smoking?"),
    ),
    differ=(
        ("What happens if a dog bites a cat?", "What happens if a cat bites a dog?"),
        ("What happened when Rome fell?", "What happens when Rome falls?"),
    ),
)
def happenings(line: str) -> str:
    """What happens, will or would happen if something does or did."""
    found = HAPPENS.match(line)
    if not found:
        return line
    verb, clause = found[1], found[2].replace("when ", "if ", 1)
    if verb == "would":
        clause = " ".join(UNREAL.get(word, word) for word in clause.split(" "))
    return f"what happen {clause}"


VERB_RULES: tuple[Rule, ...] = (
    gerund_subject,
    permission,
    passive,
    agents,
    happenings,
)
