"""Rules about the forms one question can take."""

# ruff: noqa: E501 - a pattern is easier to read on one line

import re

from gateway.cache.canonical.english import one_of
from gateway.cache.canonical.rule import Rule, rewriting, rule
from gateway.cache.canonical.typos import WORDS

ONE = "(?:i|you|we|one|somebody|a person|anybody)"
BEST = "(?:best|good|right|proper|correct|great|ideal)"
WAY = "(?:way|step|method|procedure|process|approach|technique)"
HOW_TO = rewriting(
    (
        rf"^how (?:best )?(?:do|can|could|should|would|might) {ONE} (?:best |possibly |ever |go about )?",
        "how to ",
    ),
    (rf"^how {ONE} (?:can|could|should|may|might) ", "how to "),
    (
        rf"^(?:what is |is )?(?:the |a |some |any )*(?:{BEST} )?{WAY} (?:to|for) ",
        "how to ",
    ),
    (
        rf"^(?:what is )?(?:the |a |some )*(?:{BEST} )?way (?:{ONE} (?:can|could|should|may) )",
        "how to ",
    ),
    (
        rf"^is there (?:a |an |any )?(?:{BEST} )?way (?:to|{ONE} can|for me to|that {ONE} can) ",
        "how to ",
    ),
    (
        rf"^what (?:do|should|can|must|could|would) {ONE} (?:have to |need to )?do (?:in order )?(?:to|so that i can) ",
        "how to ",
    ),
    (r"^how to (?:best|go about|properly) ", "how to "),
    (r"^how to become ", "how to be "),
    (r"^(how to )?convert (?=\d)", "convert "),
    (r"^how (?:would|do|can) you explain ", "explain "),
)
WHOSE = re.compile(rf"^how (?:best )?(?:do|can|could|should|would|might)? ?({ONE}) ")
MATCHING = {"i": " my ", "you": " your ", "we": " our "}


@rule(
    words="how way step method procedure process approach technique do convert",
    same=(
        ("How can I sort a list?", "How to sort a list?"),
        ("What is the way to sort a list?", "How do I sort a list?"),
        ("What are the steps to sort a list?", "How do I sort a list?"),
        ("How do you reset your password?", "How can I reset my password?"),
        ("What is the best way to sort a list?", "How do I sort a list?"),
    ),
    differ=(
        ("How do I sort a list?", "Why do I sort a list?"),
        ("How should I sort a list?", "How did I sort a list?"),
        ("How not to burn rice?", "How to burn rice?"),
        ("How do I find your phone?", "How do I find my phone?"),
    ),
)
def how_to(line: str) -> str:
    """The ways to ask for a method, whoever is to follow it."""
    method = HOW_TO(line)
    if not method.startswith("how to "):
        return method
    if found := WHOSE.match(line):
        own = MATCHING.get(found[1], " my ")
    else:
        own = " your " if " your " in method else " my "
    return method.replace(own, " ")


@rule(
    words="can could may might should ought possible okay allowed safely good advisable need have",
    same=(
        ("Is it possible to freeze rice?", "Can I freeze rice?"),
        ("Can you legally collect rainwater?", "Is it legal to collect rainwater?"),
        ("Where can I buy stamps?", "Where can you buy stamps?"),
        ("How long should I cook rice?", "How long do I need to cook rice?"),
    ),
    differ=(
        ("Is it safe to eat?", "Is it legal to eat?"),
        ("Is it possible to freeze rice?", "Is it necessary to freeze rice?"),
        ("May I eat rice?", "Must I eat rice?"),
        ("Can I freeze rice?", "Should I freeze rice?"),
        ("Do I need to freeze rice?", "Should I freeze rice?"),
    ),
)
def permission(line: str) -> str:
    """Whether something can, may or should be done, whoever does it."""
    return PERMISSION(line)


FOR_ONE = r"(?: for (?:me|you|one|us|somebody|people|a person))?"
PERMISSION = rewriting(
    (rf"^(?:can|could|may|might) {ONE} safely ", "is it safe to "),
    (rf"^(?:can|could|may|might) {ONE} legally ", "is it legal to "),
    (
        rf"^is it (?:possible|okay|allowed|feasible|fine|permitted){FOR_ONE} to ",
        "can one ",
    ),
    (rf"^(?:can|may|could) {ONE} ", "can one "),
    (
        rf"^is it (?:good|a good idea|advisable|recommended|wise|a good thing){FOR_ONE} to ",
        "should one ",
    ),
    (rf"^(?:should|ought) {ONE} (?:to )?", "should one "),
    (r"^is there (?:a |any )?(?:possibility|chance) (?:to|of) ", "can one "),
    (
        rf"^(what|which|where|when|why|how|who)((?: \w+){{0,2}}) (can|could|should) {ONE} ",
        r"\1\2 \3 one ",
    ),
    (
        rf"^(how (?:long|much|many|often)(?: \w+)?) do {ONE} (?:need|have) to ",
        r"\1 should one ",
    ),
)
GERUND = re.compile(
    r"^is (\w+)ing ((?:(?!is |was )\S+ )*)"
    r"(safe|legal|illegal|good|bad|okay|possible|healthy|unhealthy|dangerous|necessary|useful|wrong)$"
)


@rule(
    words="safe legal illegal good bad okay possible healthy unhealthy dangerous necessary useful",
    same=(
        ("Is taking aspirin with milk safe?", "Is it safe to take aspirin with milk?"),
    ),
    differ=(("Is taking aspirin safe?", "Is it safe to give aspirin?"),),
)
def gerund_subject(line: str) -> str:
    """Doing something is safe: it is safe to do it."""
    found = GERUND.match(line)
    return f"is it {found[3]} to {base(found[1])} {found[2]}".strip() if found else line


def base(stem: str) -> str:
    """The verb without ing or ed: tak -> take, stopp -> stop, cook -> cook."""
    if stem + "e" in WORDS and (stem not in WORDS or stem[-1] in "cgvuz"):
        return stem + "e"
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "lsz":
        return stem[:-1]
    return stem


AGENTS = {
    "founder": "founded", "inventor": "invented", "author": "wrote", "writer": "wrote",
    "creator": "created", "discoverer": "discovered", "winner": "won",
    "director": "directed", "composer": "composed", "painter": "painted",
    "designer": "designed", "builder": "built", "developer": "developed", "owner": "own",
    "killer": "killed", "maker": "made", "singer": "sang", "producer": "produced",
}  # fmt: skip
AGENT = re.compile(rf"^who (?:is|was) (?:the )?({'|'.join(AGENTS)}) (?:of|behind) ")
BY_WHOM = re.compile(
    r"^(?:by (?:whom|who) (?:is|was) (.+) (\w+)|(?:who|whom) (?:is|was) (.+) (\w+) by"
    r"|(.+?) (?:is|was) (\w+) by (?:whom|who))$"
)
PARTICIPLES = {
    "written": "wrote", "built": "built", "made": "made", "won": "won", "sung": "sang",
    "drawn": "drew", "taken": "took", "given": "gave", "found": "found", "shot": "shot",
    "led": "led", "sold": "sold", "known": "knew", "begun": "began",
}  # fmt: skip


@rule(
    words="who whom",
    same=(
        ("Who is the founder of Ikea?", "Who founded Ikea?"),
        ("Who's Ikea's founder?", "Who founded Ikea?"),
        ("Who was the light bulb invented by?", "Who invented the light bulb?"),
        ("Dune was written by whom?", "Who is the author of Dune?"),
        ("By whom was Dune written?", "Who wrote Dune?"),
    ),
    differ=(
        ("Who is the founder of Ikea?", "Who runs Ikea?"),
        ("Who killed Bob?", "Who did Bob kill?"),
        ("Who is Alice loved by?", "Who does Alice love?"),
    ),
)
def agents(line: str) -> str:
    """Who did it: the noun for the doer and the passive are the verb."""
    if found := AGENT.match(line):
        return f"who {AGENTS[found[1]]} {line[found.end() :]}"
    if found := BY_WHOM.match(line):
        what, verb = (group for group in found.groups() if group)
        if verb.endswith("ed") or verb in PARTICIPLES:
            return f"who {PARTICIPLES.get(verb, verb)} {what}"
    return line


FROZEN = {
    "frozen": "freeze", "eaten": "eat", "made": "make", "taken": "take", "given": "give",
    "built": "build", "broken": "break", "written": "write", "sent": "send", "drunk": "drink",
    "grown": "grow", "kept": "keep", "sold": "sell", "bought": "buy", "worn": "wear",
    "driven": "drive", "hidden": "hide", "stolen": "steal", "thrown": "throw", "done": "do",
    "found": "find", "used": "use", "seen": "see", "left": "leave", "paid": "pay",
}  # fmt: skip
PASSIVE = re.compile(
    r"^(can|should|could) ((?:the |a )?(?:(?!not |be |one )\w+ ){1,3}?)be (\w+)((?: (?!by )\S+)*)$"
)


@rule(
    words="be",
    same=(("Can salmon be frozen?", "Can I freeze salmon?"),),
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
    verb = FROZEN.get(found[3])
    if verb is None and found[3].endswith("ed"):
        verb = base(found[3][:-2])
    return f"{found[1]} one {verb} {found[2].strip()}{found[4]}" if verb else line


SUPERLATIVE = r"(?:best|worst|(?!(?:interest|west|east|rest|test|forest|request|harvest|guest|contest|protest|invest|suggest|nest|chest|quest|priest|latest|honest|modest) )\w{3,}est|most \w+|least \w+)"
WHICH_IS = re.compile(
    rf"^(?:what|which) ((?:(?!is |was )\w+ ){{1,3}}?)(?:is|was) (?:the )?({SUPERLATIVE})( (?:in|of|for|on|to|at|under|from|with) .+)?$"
)
OF_PLACE = re.compile(rf"^((?:what|which) is (?:the )?{SUPERLATIVE} .+?) of (?=\S+$)")


@rule(
    words="what which",
    same=(
        ("Which desert is the largest in Asia?", "What is the largest desert in Asia?"),
        ("Which phone is best for games?", "What is the best phone for games?"),
        ("What are the best books?", "Which are the best books?"),
        ("What is Africa's largest lake?", "What is the largest lake in Africa?"),
        ("What are some good books?", "What are the best books?"),
    ),
    differ=(
        ("Which desert is the largest?", "Which river is the largest?"),
        ("Which desert is largest?", "Which desert is the smallest?"),
    ),
)
def which_is(line: str) -> str:
    """Which X is the most Y: the most Y X."""
    if found := WHICH_IS.match(line):
        line = f"what is the {found[2]} {found[1].strip()}{found[3] or ''}"
    return OF_PLACE.sub(r"\1 in ", BEST_OF(line))


TO_DO_WITH_IT = one_of(
    "buy watch read use have get visit play listen_to see eat own try try_out follow go_to"
)
EVER = r"(?:that )?(?:you|i) (?:have |has )?(?:ever )?(?:seen|heard|heard of|read|watched|had|met|came across|come across|been to|visited|played|eaten|tried|done|received|been given|did)(?: in (?:your|my) life)?"
BEST_OF = rewriting(
    (r"^who is (?:the )?(?=\w+est\b|most \w|best\b)", "what is the "),
    (
        rf"^what ((?:\w+ ){{1,2}}?)((?:in|for|of|to) [\w ]+?) is (?:the )?({SUPERLATIVE})$",
        r"what is the \3 \1\2",
    ),
    (rf"^what is (?:the )?({SUPERLATIVE} .+?) {EVER}$", r"what is the \1"),
    (
        rf"^what is (?:the )?(best .+?) to {TO_DO_WITH_IT}(?= (?:in|for|under|below|on|at|of|with|by) |$)",
        r"what is the \1",
    ),
    (
        r"^(?:what|which)(?: one)? (?:is|do|will be|would be|can be) (?:some |any |a few |the )*(?:of )?(?:the |your |my )?(?:most )?(?:good|great|greatest|top|best|very good|really good) ",
        "what is the best ",
    ),
    (
        r"^(what|which|who) is (?:some |any |a few |one )(?:of )?(?:the )?(?:most )?",
        r"\1 is ",
    ),
    (r"^(what|which|who) is (?:the )?most (?=\w+ \w)", r"\1 is "),
    (
        r"^((?:what|which) is (?:the )?)(?:main|major|basic|key|primary|exact|actual|real|true|fundamental|important|possible|common) (?=difference|reason|cause|advantage|disadvantage|purpose|feature|source|function|role|benefit|use|meaning|example|effect|symptom|thing)",
        r"\1",
    ),
    (
        rf"^((?:what|which|who) is (?:the )?{SUPERLATIVE} .+?) (?:in the world|in world|ever|of all time|on earth|of all times)$",
        r"\1",
    ),
    (r"^(what|who) is one of (your|the) ", r"\1 is \2 "),
)
VERBATIM = r'("[^"]*")'
PARAPHRASES = rewriting(
    (r"^which\b", "what"),
    (r" (?:and|\?) (?:why|how come)(?: \?)?$", ""),
    (
        r"^(?:can|could) (?:you|anybody|somebody) (?:please )?(?:suggest|recommend)(?: me)? ",
        "what is ",
    ),
    (r"^(?:suggest|recommend) (?:me )?", "what is "),
    (
        r"^(?:what do it take|what is needed|what is required) to (?:be |become )",
        "how to be ",
    ),
    (r"^what do it take to ", "how to "),
    (r"^what do (?:i|you|we) do (?=if|when|about|with|to|for)", "what should one do "),
    (r"^((?:what|how|where|who|when|why) )will (.+ if )", r"\1would \2"),
    (r"\bmake money\b", "earn money"),
    (r"\b(learn|know) how to\b", r"\1 to"),
    (r"\bper (?=day|week|month|year|hour|minute|second|night)", ""),
    (r"^where (?:can one|do i|do you|can i) (?:find|get) ", "where can one get "),
    (r"^why do (?:we|humans|human) ", "why do people "),
    (r"(?<!so) that (?=(?:i|you|we|he|she|they|people) )", " "),
    (
        r"^what is better ,? ?(.+) (?:or|versus) (.+)$",
        lambda m: "what is better " + " or ".join(sorted((m[1], m[2]))),
    ),
    (r"^(?:on |in )?what (?:date|day|year|month) (was|is|did|do|will)\b", r"when \1"),
    (
        r"^(?:in |at )?what (?:place|location|city|town|country) (is|was) (?!the )(.+) (born|located|based|headquartered|situated|founded)$",
        r"where \1 \2 \3",
    ),
    (
        r"^(?:in |at )what (?:place|location|city|town|country|state) (is|was|do|did) ",
        r"where \1 ",
    ),
    (r"^for what reason ", "why "),
    (r"^in what way ", "how "),
    (
        r"^(?:how much time|how many (?:hour|minute|day)) do it take ",
        "how long do it take ",
    ),
    (
        r"^what is (?:the )?(?:time (?:needed|required|it take)) to ",
        "how long do it take to ",
    ),
    (r"^what is (?:the )?(?:duration|length) of ", "how long is "),
    (r"^how high is ", "how tall is "),
    (r"^what is (?:the )?(?:weight) of (.+)$", r"how heavy is \1"),
    (r"^how much do (.+) weigh$", r"how heavy is \1"),
    (r"^what is (?:the )?(?:depth) of (.+)$", r"how deep is \1"),
    (r"^what is (?:the )?(?:size) of (.+)$", r"how big is \1"),
    (r"^what is (?:the )?distance from ", "how far is it from "),
    (r"^how far is (?=between )", "what is distance "),
    (r"^what is (?:the )?(?:use|purpose) of (.+)$", r"what is \1 used for"),
    (r"^what is (?:the )?full form of (.+)$", r"what do \1 stand for"),
    (r"^what cause (.+)$", r"what is cause of \1"),
    (
        r"^what currency (?:is used|do people use|do they use) in (.+)$",
        r"what is currency of \1",
    ),
    (r"^what (\w+) do (.+) (?:have|use)$", r"what is \1 of \2"),
    (
        r"^(.+?) (or) (.+?) ,? ?what is (better|best|cheaper|faster)$",
        r"what is \4 \1 or \3",
    ),
    (
        r"^what (?:city|town) is (?:the )?(capital|largest|headquarters)\b",
        r"what is the \1",
    ),
    (r"\bcapital city\b", "capital"),
    (r"^where is (.+) (?:headquartered|based)$", r"where is headquarters of \1"),
    (r"^where is (.+) (?:located|situated)$", r"where is \1"),
    (r"^what is (?:the )?(?:location) of (.+)$", r"where is \1"),
    (r"^what is (?:the )?(?:reason|cause) (?:that|why|for which) ", "why "),
    (r"^how come ", "why "),
    (r"^what (?:will|would) happen\b", "what happen"),
    (r"^what (?:is|do) (?:the )?(?:meaning|definition) of (.+)$", r"what is \1"),
    (r"^what do (?:the (?:word|term) )?(.+) mean$", r"what is \1"),
    (r"^what is (?:meant|mean) by (.+)$", r"what is \1"),
    (r"^define ", "what is "),
    (r"^for how long ", "how long "),
    (r"^how do (.+) differ from (.+)$", r"what is difference between \1 and \2"),
    (
        r"^(?:what is )?(?:the )?difference (?:of|among|in) ",
        "what is difference between ",
    ),
    (
        r"^(?:what|how) (?:is|do) (.+) (?:different|differ) (?:from|to|than) (.+)$",
        r"what is difference between \1 and \2",
    ),
    (r"^what distinguish (.+) from (.+)$", r"what is difference between \1 and \2"),
    (r"^how many (?:people|inhabitant) live in (.+)$", r"what is population of \1"),
    (
        r"^how many (?:people|inhabitant) (?:do|is there in|is in) (.+?)(?: have)?$",
        r"what is population of \1",
    ),
    (
        r"^what is (?:the )?(?:date of birth|birth date|birthdate|birthday) of (.+)$",
        r"when was \1 born",
    ),
    (r"^what is (?:the )?height of (.+)$", r"how tall is \1"),
    (r"^what is (?:the )?age of (.+)$", r"how old is \1"),
    (r"^what is (?:the )?cost of (.+)$", r"how much is \1"),
    (r"^how much do (.+) cost$", r"how much is \1"),
    (r"\bless expensive\b|\bmore (?:affordable|inexpensive)\b", "cheaper"),
    (r"^do (.+) cost less than ", r"is \1 cheaper than "),
    (
        r"^(is .+ (?:\w+er|more \w+|less \w+)) (?:compared|in comparison) (?:to|with) (.+)$",
        r"\1 than \2",
    ),
    (r"^(what \w+) have (.+) in (?:them|it)$", r"\1 contain \2"),
    (
        r"^what is (?:some |the |any )?((?:\w+ ){0,2}?\w+) (?:that|which) (?=(?!is |was |i |you |we )\w+ )",
        r"what \1 ",
    ),
    (
        r"^count (?:the )?(?:number of )?(?:the )?(\w+) (?:in|of) ",
        r"how many \1 is in ",
    ),
    (r"^(?:what is )?(?:the )?number of (\w+) in ", r"how many \1 is in "),
    (r"^(how many \w+) is there in ", r"\1 is in "),
    (r"^(how many \w+) do (.+) (?:have|contain)$", r"\1 is in \2"),
    (
        rf"^(?:how (?:to|do you|would you|can i) say|what is) {VERBATIM} in (\w+)$",
        r"translate \1 to \2",
    ),
    (rf"^translate {VERBATIM} in (\w+)$", r"translate \1 to \2"),
    (r"^what make (\S+ \S+(?: .+)?)$", r"why \1"),
    (r"^what is (this|that|it) (print|do|mean|return|output)\b", r"what do \1 \2"),
    (r"^what is (?:the )?output of (\S+)", r"what do \1 print"),
    (
        r"^what (?:is it|do it feel|do it feel like to be|it is) like (?:to|being) ",
        "what is it like to ",
    ),
    (r"^(?:how|what) do it feel (?:like )?to ", "what is it like to "),
    (r"\bwork(?:ing)? out\b", "exercise"),
    (r"\bi (?:is|was) (?:serving|cooking for) ", "for "),
)


@rule(
    same=(
        ("What's the meaning of entropy?", "What is entropy?"),
        ("On what date was Ada Lovelace born?", "When was Ada Lovelace born?"),
        (
            "How does Redis differ from Kafka?",
            "What is the difference between Redis and Kafka?",
        ),
    ),
    differ=(
        ("What is the capital of Peru?", "What was the capital of Peru?"),
        ("Who is the king of Spain?", "Where is the king of Spain?"),
    ),
)
def paraphrases(line: str) -> str:
    """Other forms of the same question."""
    return PARAPHRASES(line)


TEXT = one_of("""
    email letter function script program essay poem story class method query code regex
    article post tweet speech paragraph summary report message text snippet command note
    regular_expression sql_query cover_letter song haiku blog_post test unit_test
    """)
WRITE = rewriting(
    (
        rf"^(?:create|compose|draft|generate|make|build|develop|produce|code|implement|prepare) (?=(?:me )?(?:a |an |the |my |some )?(?:\S+ ){{0,3}}?{TEXT}\b)",
        "write ",
    ),
    (r"^write me ", "write "),
    (
        r"^write (?:a |an |the |my )?(\w+) a ((?:\w+ ){1,3}?)(?=about |that |regarding |on |$)",
        r"write a \2to \1 ",
    ),
    (
        r"\b(function|script|program|method|class|tool|query) (?:that|which) (?=\w)",
        r"\1 to ",
    ),
    (
        r"^write (?:a )?(?!a |the )(\w+) (function|script|program|class|method|query) ((?:to|for) .+)$",
        r"write a \2 \3 in \1",
    ),
    (
        r"^write (?:a )?(function|script|program|class|method|query) in (\w+) (.+)$",
        r"write a \1 \3 in \2",
    ),
)


@rule(
    words="write create compose draft generate make build develop produce code implement prepare",
    same=(
        ("Compose a short email to a customer", "Write a short email to a customer"),
        (
            "In PHP, write a function that reads a file",
            "Write a PHP function to read a file",
        ),
        (
            "Write a customer a short email about rain",
            "Write a short email to a customer about rain",
        ),
    ),
    differ=(("Write a short email to a customer", "Write a long email to a customer"),),
)
def write(line: str) -> str:
    """The ways to order a text or a program."""
    return WRITE(line)


# Said to a model, an order to do this can only ask how it is done.
ACTIONS = one_of("""
    reset undo install uninstall delete remove connect configure enable disable update
    upgrade cook bake clean repair fix unlock recover cancel restore backup renew
    set_up turn_on turn_off sign_up log_out change
    """)
ACTION = re.compile(rf"^(?={ACTIONS} \w)")


@rule(
    words=" ".join(re.findall(r"\w+", ACTIONS)),
    same=(("reset Netflix password", "How do I reset my Netflix password?"),),
    differ=(("sort a list", "How do I sort a list?"),),
)
def actions(line: str) -> str:
    """What only the asker can do asks for how to do it."""
    return ACTION.sub("how to ", line)


QUESTIONS: tuple[Rule, ...] = (actions, how_to, permission, gerund_subject)
