"""Rules about what people say around a question."""

# ruff: noqa: E501 - a pattern is easier to read on one line

import re

from gateway.cache.canonical.english import one_of
from gateway.cache.canonical.rule import Rule, rewriting, rule

PAUSE = "[.,!?:;\ue001-]"
THANKS = one_of("""
    thanks thanks_a_lot thanks_in_advance thanks_so_much thanks_very_much many_thanks
    thank_you thank_you_very_much thank_you_so_much thank_you_in_advance cheers
    much_appreciated please_help please_help_me help_me help_please please_advise
    please_answer please_explain please_reply any_help_is_appreciated please_let_me_know
    any_help_would_be_appreciated i_would_appreciate_it ty thanks_for_your_help
    thank_you_for_your_help i_would_be_grateful let_me_know please_tell_me
    """)
AT_THE_END = re.compile(
    rf" (?:[.,!?:;-] )?(?:[.,!?:;-]|(?<=[.,!?:;\ue001-] ){THANKS}|(?<!as i )(?<!as you )"
    r"(?<!as they )(?<!to )please)$"
)
# "What is ?" asks about the mark.
ABOUT_A_MARK = re.compile(r"^what is$| (?:and|or|between)$")
NAMED = one_of(
    "there all everybody guys folks team friend chatgpt gpt claude ai assistant"
)
GREETING = (
    r"(?:hi|hello|hey|greetings|howdy|good\ (?:morning|afternoon|evening|day))"
    rf"(?:\ {NAMED})?"
)
ASKS = r"(?=(?:what|which|who|when|where|why|how|can|could|would|is|do|did|please|i)\ )"
REMARK = one_of("""
    quick_question fast_question one_question simple_question short_question
    just_a_question just_a_fast_question a_fast_question one_fast_question question
    i_have_a_question i_have_a_fast_question just_wondering just_curious
    just_out_of_curiosity out_of_curiosity i_is_curious i_is_just_curious curious
    sorry sorry_to_bother_you sorry_for_bothering_you sorry_to_disturb_you excuse_me
    pardon_me apologies sorry_for_the_question sorry_for_the_stupid_question
    in_your_opinion in_your_view in_your_experience according_to_you if_possible
    if_you_can if_you_do_not_mind if_you_would if_i_may_ask may_i_ask can_i_ask
    by_the_way okay well so um uh hmm okay_so please_help please_help_me help_me
    i_need_help i_need_your_help i_need_some_help i_wonder i_was_wondering
    i_is_wondering i_have_been_wondering tell_me please_tell_me
    """)
OPENER = re.compile(
    rf"""{GREETING}(?:(?:\ {PAUSE})+\ |\ {ASKS}) | dear\ \w+\ ,\ |(?:please|kindly)\ (?:,\ )?
    | {REMARK}(?:\ {PAUSE})+(?:\ but)?\ """,
    re.VERBOSE,
)

PLEASE = r"(?:(?:please|kindly|just|maybe|possibly|perhaps)\ )*"
YOU = rf"(?:{PLEASE}(?:can|could|would|will)\ you\ {PLEASE})"
ASKING = re.compile(
    rf"""(?:
      {YOU}?(?:tell\ me|inform\ me|let\ me\ know|help\ me\ (?:to\ )?(?:understand|know|find\ out
      |figure\ out)|teach\ me|show\ me)
    | {YOU}?(?:please\ )?explain(?:\ to\ me)? | summarize | {YOU}?list
    | (?:would|do)\ you\ mind\ (?:telling\ me|explaining)
    | (?:do|would)\ (?:you|anybody|somebody)(?:\ happen\ to)?\ know
    | (?:do\ you\ have\ )?any\ idea
    | can\ (?:anybody|somebody)\ (?:please\ )?(?:tell\ me|explain)
    | i\ (?:would\ (?:really\ )?(?:like|love)|want|need|is\ trying|have\ been\ trying)\ to
      \ (?:know|understand|learn|find\ out|ask(?:\ you)?|hear|figure\ out)
    | i\ (?:is|was|have\ been)\ (?:just\ )?(?:wondering|curious|interested\ to\ know|interested\ in\ knowing)
    | i\ wonder | i\ do\ not\ (?:know|understand) | i\ is\ not\ sure
    | i\ would\ (?:appreciate\ it|be\ grateful)\ if\ you\ could\ tell\ me
    | (?:can|could|may)\ i\ (?:ask|know)(?:\ you)?
    )(?:\ please)?(?:\ (?:about|of))?\ (?:[,:]\ )?
    (?=(?:what|which|who|whose|when|where|why|how|if|whether|in\ which|on\ which|for\ how)\ )""",
    re.VERBOSE,
)
GIVING = re.compile(
    rf"""(?:{YOU}?(?:tell|give|show)\ me|{YOU}?(?:list|name|state|mention)(?:\ me)?|i\ (?:would\ like|want|need)\ to\ know|i\ is\ looking\ for)
    (?:\ (?:a\ |the\ )?list\ of(?=\ ))?\ (?=the\ |all\ |some\ |\d|(?:advantage|disadvantage|difference|reason|step|type|kind|way)\ )""",
    re.VERBOSE,
)
# With "please" after it, anything is a request; without, only these surely are.
REQUESTED = (
    one_of("""
    explain summarize define calculate compute convert compare translate write
    create generate compose draft give provide suggest recommend outline rewrite rephrase
    """)
    + r"\b|(?:add|subtract|multiply|divide) \d"
)
REQUEST = re.compile(
    rf"{YOU}(?:(?<=please )|(?<=kindly )|(?={REQUESTED}))"
    rf"|i (?:want|need|would like) you to |{YOU}?help me (?:to )?(?={REQUESTED})"
)
HELP = re.compile(
    rf"(?:{YOU}?help me(?: to| with| in)?|i (?:need|want) (?:your |some )?help (?:to|with|in|on)"
    rf"|{YOU}?(?:show|teach|tell|explain to) me how to|{YOU}?explain how to|i (?:want|need|would like|would love) to (?:know|learn) how to"
    r"|i is trying to|i (?:want|need|have) to) (?!the |my |a |be |have |know )(?=\w)"
)


@rule(
    same=(
        ("Explain gravity. Thanks!", "Explain gravity."),
        ("Explain gravity, please. Thank you!", "Explain gravity."),
        ("What is the capital of Peru?", "What is the capital of Peru"),
    ),
    differ=(
        ("Can I do as I please?", "Can I do as I?"),
        ("How do I treat dogs kindly?", "How do I treat dogs?"),
        ("How do I show thanks?", "How do I show?"),
    ),
)
def closers(line: str) -> str:
    """Thanks after a pause, "please", and the marks at the end."""
    rest = line
    while found := AT_THE_END.search(rest):
        if ABOUT_A_MARK.search(rest, 0, found.start()):
            break
        rest = rest[: found.start()]
    return f"{rest} ?" if "?" in line[len(rest) :] else rest


@rule(
    same=(
        ("Hi! Please explain gravity", "Explain gravity"),
        ("Hello there. What is gravity?", "What is gravity?"),
        ("Quick question: what is gravity?", "What is gravity?"),
        ("Sorry to bother you, but what is gravity?", "What is gravity?"),
        ("Out of curiosity, why do cats purr?", "Why do cats purr?"),
    ),
    differ=(
        ("What does hello world do in C?", "What does world do in C?"),
        ("Hello world in C", "World in C"),
        (".Net is what?", "Net is what?"),
        ("In your country, is it safe?", "Is it safe?"),
    ),
)
def openers(line: str) -> str:
    """Greetings and remarks before the question."""
    while found := OPENER.match(line):
        if found.end() == len(line):
            break
        line = line[found.end() :]
    return line


@rule(
    same=(
        ("Could you please freeze the rice?", "Freeze the rice"),
        ("Could you explain gravity?", "Explain gravity"),
        ("Can you tell me who founded Rome?", "Who founded Rome?"),
        ("Could you tell me when Rome was founded?", "When was Rome founded?"),
        ("Give me the capital of Peru", "What is the capital of Peru?"),
        ("Do you know what the capital of Peru is?", "What is the capital of Peru?"),
        ("I was wondering if gold is heavier than lead", "Is gold heavier than lead?"),
        ("Please explain how magnets work", "How do magnets work?"),
        ("Can you help me sort a list?", "How do I sort a list?"),
    ),
    differ=(
        ("Can you freeze the rice?", "Freeze the rice"),
        ("Tell me about the cats", "The cats"),
        ("Tell me how old Bob is", "How is old Bob?"),
        ("Do you know the king?", "The king?"),
        ("Explain gravity", "Gravity"),
    ),
)
def requests(line: str) -> str:
    """Requests for an answer: what is asked for remains."""
    if found := HELP.match(line):
        return "how to " + line[found.end() :]
    if found := ASKING.match(line):
        return upright(line[found.end() :])
    if found := GIVING.match(line):
        return line[found.end() :]
    if found := REQUEST.match(line):
        return line[found.end() :]
    return line


PRONOUN = "(?:i|you|he|she|it|we|they|one|there)"
VERB = "(?:is|was|can|could|will|would|should|may|might|must|did|have|had)"
INDIRECT = (
    # "what I should do", "if it is safe"
    (
        re.compile(
            rf"(what|which \w+|when|where|why|how(?: \w+)?) ({PRONOUN}) ({VERB}) "
        ),
        r"\1 \3 \2 ",
    ),
    (re.compile(rf"(?:if|whether) ((?:(?!{VERB} )[^ ]+ ){{1,6}}?)({VERB}) "), r"\2 \1"),
    (re.compile(r"(?:if|whether) "), "do "),
    # "when Rome was founded", "what the capital of Peru is"
    (
        re.compile(r"(when|where|why) ((?:(?!is |was )[^ ]+ )+)(is|was) ([^ ]+)$"),
        r"\1 \3 \2\4",
    ),
    (
        re.compile(
            r"(what|who|where|when|why|how(?: \w+)?) ((?:(?!is |was )[^ ]+ )+)(is|was)$"
        ),
        r"\1 \3 \2",
    ),
)


def upright(asked: str) -> str:
    """The direct question: the verb before the subject."""
    asked = asked.removesuffix(" ?")
    for pattern, direct in INDIRECT:
        if pattern.match(asked):
            return pattern.sub(direct, asked, count=1).rstrip()
    return asked


# A question mark makes a question of these; everything else is one anyhow.
STATEMENT = re.compile(r"(?:i|you|he|she|it|we|they|this|that|there) ")


@rule(
    words="?",
    same=(("2+2?", "2+2"), ("I wonder, why do cats purr?", "Why do cats purr?")),
    differ=(
        ("I should rest?", "I should rest."),
        ("What is ?", "What is !"),
        ("What is between ! and ?", "What is between ! and ."),
    ),
)
def question_mark(line: str) -> str:
    """At the end it says nothing, unless it makes a question of a statement."""
    keep = STATEMENT.match(line) or ABOUT_A_MARK.search(line, 0, len(line) - 2)
    return line if keep else line.removesuffix(" ?")


OPINION = rewriting(
    (
        r"^(what|which|who|where|why|how(?: \w+)?) do you (?:think|believe|feel) (is|will|was|should|would) ",
        r"\1 \2 ",
    ),
    (r"^do you think (?:that )?(.+?) (is|will|was|should|would|can) ", r"\2 \1 "),
)


@rule(
    words="you your",
    same=(("What do you think is the best book?", "What is the best book?"),),
    differ=(("What do you think of the best book?", "What is the best book?"),),
)
def opinions(line: str) -> str:
    """Who is asked gives an opinion anyhow."""
    return OPINION(line)


POLITENESS: tuple[Rule, ...] = (closers, openers, requests, question_mark, opinions)
