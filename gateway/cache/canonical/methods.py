"""Rules about what the asker wants to have or to do: methods, texts, programs."""

import re

from gateway.cache.canonical.english import one_of
from gateway.cache.canonical.rule import Rule, rewriting, rule
from gateway.cache.canonical.tokens import MARK
from gateway.cache.canonical.verbs import ABOUT_YOU, ANYONE, base, without_owner

BEST = (
    "(?:(?:best|good|right|proper|correct|great|ideal|better|possible|different"
    "|various) )?"
)
WAY = "(?:way|step|method|procedure|process|approach|technique|command|tip)"
MODAL = "(?:do|can|could|should|would|might)"

WELL = one_of("well better properly effectively efficiently correctly successfully")

HOW_TO = rewriting(
    (
        rf"^how (?:best )?{MODAL} {ANYONE} (?:best |possibly )?(?!(?:feel|look|do)$)",
        "how to ",
    ),
    (rf"^how {ANYONE} (?:can|could|should|may|might) ", "how to "),
    (rf"^(?:what is |is )?{BEST}{WAY} to ", "how to "),
    (
        rf"^(?:what is |is )?{BEST}{WAY} (?:for|of|on) (\w{{2,}})ing(?= |$)",
        lambda found: f"how to {base(found[1])}",
    ),
    (rf"^(?:what is )?{BEST}way {ANYONE} (?:can|could|should|may) ", "how to "),
    (
        rf"^is there {BEST}way (?:to|(?:for me|that) to|(?:that )?{ANYONE} can) ",
        "how to ",
    ),
    (
        rf"^what {MODAL} {ANYONE} (?:have to |need to )?do (?:to|so that i can) ",
        "how to ",
    ),
    (r"^what (?:do it take|is needed|is required) to ", "how to "),
    (r"^how to (?:best|properly|effectively) ", "how to "),
    # "how we can improve", "how to we improve"
    (rf"^how to (?:(?:{ANYONE} )?can|{ANYONE}) (?=\w)", "how to "),
    (r"^how to become ", "how to be "),
    (r"^how to get rid of ", "how to remove "),
    (r"^how to cope with ", "how to deal with "),
    (
        r"^how to (?:tell|determine|find out|figure out) "
        r"(?=(?:if|when|what|who|how|where|that) )",
        "how to know ",
    ),
    (r"^(how to improve \w.*) (?:skill|ability)$", r"\1"),
    (r"^how to (?=convert \d)", ""),
    (r"^how to explain ", "explain "),
    (r"^how to go about (\w+)ing ", lambda found: f"how to {base(found[1])} "),
    (r"^(how to (?:be|get|feel|look)) more ", r"\1 "),
    (rf"^(how to .+) {WELL}$", r"\1"),
    (r"^(how to \w+) (?:more|better) (?=(?:on|in|at|of|about|with) )", r"\1 "),
    (r"^(how to .+) [.?] how$", r"\1"),
    (r"\b(learn|know) how to\b", r"\1 to"),
)
WHOSE = re.compile(rf"^how (?:best )?{MODAL}? ?({ANYONE}) ")
OWN = {"you": " your ", "we": " our ", "one": " their ", "person": " their "}
FIRST_PERSON = re.compile(r"(?<= )(?:i|me)\b")
SECOND_PERSON = re.compile(rf" your?{MARK}?(?!\w)")


@rule(
    words="how way step method procedure process approach technique command tip do "
    "what convert",
    same=(
        ("How can I sort a list?", "How to sort a list?"),
        ("What is the way to sort a list?", "How do I sort a list?"),
        ("What are the steps to sort a list?", "How do I sort a list?"),
        ("How do you reset your password?", "How can I reset my password?"),
        ("What is the best way to sort a list?", "How do I sort a list?"),
        ("What should I do to sort a list?", "How do I sort a list?"),
        ("What are the different ways to learn?", "How do I learn?"),
        ("What are some tips for learning Greek?", "How do I learn Greek?"),
        ("What is the best way of studying?", "What is the best way to study?"),
        ("How we can reduce noise?", "How can we reduce noise?"),
        ("How do I get rid of moths?", "How do I remove moths?"),
        ("How do you cope with grief?", "How do you deal with grief?"),
        ("How can I tell if milk is sour?", "How do I know if milk is sour?"),
        ("How do I improve my writing skills?", "How can I improve my writing?"),
        ("How do I know if I am ill?", "How do you know if you are ill?"),
    ),
    differ=(
        ("How do I sort a list?", "Why do I sort a list?"),
        ("How should I sort a list?", "How did I sort a list?"),
        ("How not to burn rice?", "How to burn rice?"),
        ("How do I find your phone?", "How do I find my phone?"),
        ("What is the fastest way to sort a list?", "How do I sort a list?"),
        ("How do I improve my skills?", "How do I improve?"),
        ("How do I tell Bob?", "How do I know Bob?"),
        ("How do I know if I love you?", "How do I know if you love me?"),
        ("How do I can fruit?", "How do I freeze fruit?"),
        ("What are tips for waiters?", "How do I wait?"),
    ),
)
def how_to(line: str) -> str:
    """The ways to ask for a method, whoever is to follow it."""
    if " you " in line and ABOUT_YOU.match(line):
        return line
    method = HOW_TO(line)
    if not method.startswith("how to "):
        return method
    if not SECOND_PERSON.search(method):
        method = FIRST_PERSON.sub("you", method)
    found = WHOSE.match(line)
    own = OWN.get(found[1], " my ") if found else " my "
    if not found and own not in method:
        own = " your " if " your " in method else " our "
    return without_owner(method, own)


ACTIONS = """
    reset undo install uninstall delete remove connect configure enable disable update
    upgrade cook bake clean repair fix unlock recover cancel restore backup renew change
"""
ACTION = re.compile(rf"^(?={one_of(ACTIONS)} \w)")
# So do these when they name the tool: "sort a list in Ruby".
WITH_TOOLS = """
    sort list reverse print read parse merge split concatenate loop iterate filter
    append insert center align sum round rename create add clone commit push copy count
"""
WITH_TOOL = re.compile(rf"^(?={one_of(WITH_TOOLS)} [^\d\"]+ in \w+$)")


@rule(
    words=ACTIONS + WITH_TOOLS,
    same=(
        ("reset Netflix password", "How do I reset my Netflix password?"),
        ("sort a list in Ruby", "How do I sort a list in Ruby?"),
    ),
    differ=(
        ("sort a list", "How do I sort a list?"),
        ("sort the list 3 1 2 in Ruby", "How do I sort the list 3 1 2 in Ruby?"),
    ),
)
def actions(line: str) -> str:
    """Ordered from a model, what only the asker can do asks for how it is done."""
    return WITH_TOOL.sub("how to ", ACTION.sub("how to ", line))


MAKING = """
    write create compose draft generate make build develop produce code implement
    prepare
"""
TEXT = one_of("""
    email letter function script program essay poem story class method query code regex
    article post tweet speech paragraph summary report message text snippet command note
    song test
""")
PROGRAM = "(function|script|program|class|method|query|regex)"
WRITE = rewriting(
    (
        rf"^{one_of(MAKING)} (?=(?:(?!that |which |to |for )\S+ ){{0,4}}?{TEXT}\b)",
        "write ",
    ),
    (r"^write (?:me|us) ", "write "),
    # "write a customer a short email"
    (
        r"^write ((?:a |an |the |my |our )?\w+) a ((?:\w+ ){0,3}\w+?)"
        r"(?= about | that | regarding |$)",
        r"write a \2 to \1",
    ),
    (rf"\b{PROGRAM}( in \w+)? (?:that|which) (?=\w)", r"\1\2 to "),
    (
        r"^write (?:a )?(?!(?:a|the|simple|short|small|new) )(\w+)"
        rf" {PROGRAM} (to .+)$",
        r"write a \2 \3 in \1",
    ),
    (rf"^write (?:a )?{PROGRAM} in (\w+) (to .+)$", r"write a \1 \3 in \2"),
)


@rule(
    words=MAKING,
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
    differ=(
        ("Write a short email to a customer", "Write a long email to a customer"),
        (
            "Write a PHP function that reads a file",
            "Write a PHP function that writes a file",
        ),
    ),
)
def write(line: str) -> str:
    """The ways to order a text or a program."""
    return WRITE(line)


METHODS: tuple[Rule, ...] = (actions, how_to)
