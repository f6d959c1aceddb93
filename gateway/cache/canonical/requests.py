"""Rules about requests: "could you tell me", "I'd like to know", "help me to"."""

import re

from gateway.cache.canonical.english import QUESTION_WORDS, one_of, word_set
from gateway.cache.canonical.rule import Rule, rewriting, rule
from gateway.cache.canonical.verbs import base

LONGEST_REQUEST = 16  # words
# What requests are made of, up to the question that they lead to ...
POLITE = word_set("""
    i me you we us it anybody somebody can could would will may might do is was be been
    have am like love want need to please kindly just really very so much also maybe
    perhaps possibly if for a any the tell let know understand explain show give teach
    inform help find figure out learn ask hear see get wonder wondering curious
    interested mind happen glad grateful appreciate thankful happy idea chance possible
    trying try try not sure here there about of , : telling explaining knowing
    great nice
""")
# ... and what they end with.
ASKING = word_set("""
    me know understand wonder wondering curious idea ask out explain hear learn see sure
    knowing explaining list summarize
""")
OF_REQUESTS = POLITE | ASKING
# Each request begins with one of these.
STARTS = OF_REQUESTS | word_set("provide name state mention")
BEFORE_THE_QUESTION = word_set(", : please about of on")
# Told what follows "the": "do you know the king" is no request.
TOLD = {("tell", "me"), ("give", "me"), ("to", "know"), ("me", "know")}
IN_WHICH = {"in", "on", "at", "for", "to", "from"}


def question_asked(line: str) -> str:
    """What follows "could you tell me" and the like, or ""."""
    words = line.split(" ", LONGEST_REQUEST)
    ending = ""
    before: tuple[str, ...] = ()
    for place, word in enumerate(words[:-1]):
        leads = word in QUESTION_WORDS or (
            word in IN_WHICH and words[place + 1] in QUESTION_WORDS
        )
        if ending in ASKING and (leads or word == "if"):
            return " ".join(words[place:])
        if word in ("the", "all") and before[-2:] in TOLD:
            return "what is " + " ".join(words[place:])
        before = (*before, word)[-2:]
        if leads or word not in OF_REQUESTS:
            return ""
        if word not in BEFORE_THE_QUESTION:
            ending = word
    return ""


PLEASE = "(?:(?:please|kindly|just|maybe|possibly|perhaps) )*"
YOU = f"(?:{PLEASE}(?:can|could|would|will) you {PLEASE})?"
KINDS = one_of("advantage disadvantage difference reason step type kind way")
# Which ones are asked for; without it, "what is" would ask what they are at all.
WHICH = one_of("of in on for to about that with from")
GIVING = re.compile(
    rf"(?:{YOU}(?:tell|give|show|provide)(?: me)?(?: with)?"
    rf"|{YOU}(?:list|name|state|mention)(?: me)?"
    r"|i (?:would like|want|need) to know|i is looking for)"
    rf" (?:(?:a |the )?list of )?(?=(?:the|all|some|\d+|{KINDS}) |(?:\w+ ){{1,2}}'s )"
    rf"|{YOU}give me (?!(?:a|an|my|your) )(?=\w{{3}}.* {WHICH} )"
    rf"|{YOU}(?:give|show) me (?:a |the )?list of (?=.* {WHICH} )"
)
# With "please" after it, anything is a request; without, only these surely are.
REQUESTED = (
    one_of("""
        explain summarize define calculate compute convert compare translate write
        create generate compose draft give provide suggest recommend outline rewrite
        rephrase
    """)
    + r"\b|(?:add|subtract|multiply|divide) \d"
)
REQUEST = re.compile(
    r"(?:please |kindly )?(?:can|could|would|will) you "
    rf"(?:{PLEASE}(?<=please )|{PLEASE}(?<=kindly )|{PLEASE}(?={REQUESTED}))"
    rf"|i (?:want|need|would like) you to |{YOU}help me (?:to )?(?={REQUESTED})"
)
# Who is helped with these wants the thing itself, not how it is done.
MADE = one_of("write create compose draft generate translate summarize rewrite")
HELP = re.compile(
    rf"(?:{YOU}help me(?: to| with| in)?(?! {MADE}\b)"
    r"|i (?:need|want) (?:your |some )?help (?:to|with|in|on)"
    rf"|{YOU}(?:(?:show|teach|tell|explain to) me|explain) how to"
    r"|i (?:want|need|would like|would love) to (?:know|learn) how to"
    rf"|i is trying to|i (?:want|need) to(?! {MADE}\b))"
    r" (?!(?:the|my|a|be|have|know) )(?=\w)"
)


HELP_DOING = re.compile(
    rf"(?:{YOU}help me|i (?:need|want) (?:your |some )?help)(?: with| in)?"
    r" (\w{3,})ing "
)


@rule(
    same=(
        ("Could you please freeze the rice?", "Freeze the rice"),
        ("Could you explain gravity?", "Explain gravity"),
        ("Can you tell me who founded Rome?", "Who founded Rome?"),
        ("Could you tell me when Rome was founded?", "When was Rome founded?"),
        ("Give me the capital of Peru", "What is the capital of Peru?"),
        ("Do you know what the capital of Peru is?", "What is the capital of Peru?"),
        ("I was wondering if gold is heavier than lead", "Is gold heavier than lead?"),
        (
            "I'd appreciate it if you could tell me who founded Rome",
            "Who founded Rome?",
        ),
        ("Please explain how magnets work", "How do magnets work?"),
        ("Can you help me sort a list?", "How do I sort a list?"),
        ("I need help sorting a list", "How do I sort a list?"),
    ),
    differ=(
        ("Can you freeze the rice?", "Freeze the rice"),
        ("Tell me about the cats", "The cats"),
        ("Tell me how old Bob is", "How is old Bob?"),
        ("Do you know the king?", "The king?"),
        ("Explain gravity", "Gravity"),
        ("Does Bob know who founded Rome?", "Who founded Rome?"),
        ("How do I know who founded Rome?", "Who founded Rome?"),
    ),
)
def requests(line: str) -> str:
    """Requests for an answer: what is asked for remains."""
    if line.partition(" ")[0] not in STARTS:
        return line
    if found := HELP_DOING.match(line):
        return f"how to {base(found[1])} {line[found.end() :]}"
    if found := HELP.match(line):
        return "how to " + line[found.end() :]
    if asked := question_asked(line):
        return requests.apply(upright(asked))
    if found := GIVING.match(line):
        return "what is " + line[found.end() :]
    if found := REQUEST.match(line):
        return requests.apply(line[found.end() :])
    return line


PRONOUN = "(?:i|you|he|she|it|we|they|one|there)"
VERB = "(?:is|was|can|could|will|would|should|may|might|must|did|have|had)"
ASKS = r"(what|who|where|when|why|how(?: \w+)?)"
SUBJECT = "((?:(?!(?:is|was) )[^ ]+ )+)"
INDIRECT = (
    # "what I should do", "if it is safe"
    (
        re.compile(
            rf"(what|which \w+|when|where|why|how(?: \w+)?) ({PRONOUN}) ({VERB}) "
        ),
        r"\1 \3 \2 ",
    ),
    (re.compile(rf"if ((?:(?!{VERB} )[^ ]+ ){{1,6}}?)({VERB}) "), r"\2 \1"),
    (re.compile(r"if "), "do "),
    # "when Rome was founded", "what the capital of Peru is"
    (re.compile(rf"(when|where|why) {SUBJECT}(is|was) ([^ ]+)$"), r"\1 \3 \2\4"),
    (re.compile(rf"{ASKS} {SUBJECT}(is|was)$"), r"\1 \3 \2"),
)


def upright(asked: str) -> str:
    """The direct question: the verb before the subject."""
    asked = asked.removesuffix(" ?")
    for pattern, direct in INDIRECT:
        if pattern.match(asked):
            return pattern.sub(direct, asked, count=1).rstrip()
    return asked


OPINION = rewriting(
    (
        r"^(what|which|who|where|why|how(?: \w+)?) do you (?:think|believe|feel)"
        r" (is|will|was|should|would) ",
        r"\1 \2 ",
    ),
    (r"^do you think (?:that )?(.+?) (is|will|was|should|would|can) ", r"\2 \1 "),
)


@rule(
    words="think believe feel",
    same=(("What do you think is the best book?", "What is the best book?"),),
    differ=(("What do you think of the best book?", "What is the best book?"),),
)
def opinions(line: str) -> str:
    """Who is asked gives an opinion anyhow."""
    return OPINION(line)


REQUESTS: tuple[Rule, ...] = (requests, opinions)
