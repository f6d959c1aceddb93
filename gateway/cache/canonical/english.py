"""Word classes of English that several rules ask about."""


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def words_of(text: str) -> list[str]:
    return text.split()


def one_of(text: str) -> str:
    """A regular expression for any of these words or, with _ for spaces, phrases."""
    choices = sorted(text.split(), key=len, reverse=True)
    return "(?:" + "|".join(choice.replace("_", r"\ ") for choice in choices) + ")"


QUESTION_WORDS = word_set("what which who whom whose when where why how")
BE = word_set("is are was were am be been being")
AUXILIARIES = BE | word_set(
    "do does did have has had can could will would shall should may might must"
)
NEGATIONS = word_set("not no never none nothing nobody neither nor without")

# A remark before the question, as in "sorry to bother you, but", is made of these and
# begins with one of the latter; also as they are before the lexicon has seen them.
REMARKS = word_set("""
    hi hello hey greetings howdy good morning afternoon evening day there all everybody
    guys folks team friend sir madam dear chatgpt gpt claude ai assistant sorry to
    bother bothering asking disturb disturbing you for excuse me pardon apologies fast
    quick one question simple short small basic general silly stupid dumb honest just a
    an the i is have got need help some your with please kindly thanks thank out of
    curiosity curious wondering wonder was been in opinion view experience according if
    possible can do not mind would may ask tell me by way okay well so um uh hmm anyway
    again advance much very lot my school class homework project assignment course
    i'm i've don't answer query q
""")
# One of them is in each remark that begins otherwise than with a greeting: "in class"
# is none, "for my homework" is.
OF_ASKING = word_set("""
    question query curious curiosity wondering wonder sorry help opinion view experience
    asking ask tell thanks thank please homework assignment project mind way bother
    advance excuse pardon apologies possible answer okay well so um uh hmm anyway kindly
    hi hello hey greetings howdy dear again quick fast dumb silly stupid disturb
    according need can
""")
REMARK_STARTS = word_set("""
    hi hello hey greetings howdy good dear sorry excuse pardon apologies fast quick one
    question simple short small basic general silly stupid dumb honest just a i i'm i've
    in out according by okay well so um uh hmm anyway please kindly thanks thank help
    need curious if may tell for my answer query q another
""")

# Common words mostly English has: their share tells English from other languages,
# and they are never names.
COMMON = (
    QUESTION_WORDS
    | AUXILIARIES
    | NEGATIONS
    | word_set("""
        a an the of to in on at by for from with into about between over under after
        before during than as like and or but if then because so while since until
        i you he she it we they me my your his her its our their them us one this
        that these those there here some any all each every many much more most
        few less least other another same such only also very too just even still
        first last next best good better new old long short big small large high low
        please tell give get make take use need want know find explain write show
        help work works mean happen happens call go come see say think look put keep
        way thing people time day year name word number list difference example
        out up down off back again both own per yes
        """)
)

# Words that hardly any other language has, so one of them is a sign of English.
ONLY_ENGLISH = word_set("""
    what which who whom whose when where why how the does did should could would were
    been has might must from with about into and if than my your his their our you they
    this that those there don't doesn't didn't isn't can't what's how's who's where's
    i'm i've i'd it's explain write summarize summarise describe convert calculate tell
    vs versus show please make create find difference compare translate
""")
# Three of these are as good as one of those.
MOSTLY_ENGLISH = word_set("""
    is are was had have will can to of for by it we i be and an give list find between
""")
# Words that English has as well as another language: no sign of anything.
SHARED = word_set("de die do la no un")

# Function words of the languages that look most like English in ASCII.
FOREIGN = word_set("""
    der das und ist ein eine einen einem nicht wie warum wer wo wann welche welcher
    von zu auf für den dem ich du wir sie bitte kann kannst mir soll muss
    el los las que por es una como cual cuando qué cómo cuál dónde quién para del con
    más su mi puedo puede debo hay entre sobre
    le les des est et une qui quoi pourquoi comment quel quelle quels quelles quand où
    je tu nous vous pour dans avec sur pas du au aux ce cette sont peut dois puis
    il che di gli sono perché come quando dove cosa qual quale quali della del dei nel
    per un uno posso devo può è
    het een niet wat waarom hoe wie waar wanneer welke van voor naar ik mijn kan moet
    och är inte hur vad varför att jag en som det och og hvad hvordan hvorfor ikke er
    um uma não qual quais quem onde porque para com dos das eu meu posso você é os ao
    co jak jest dlaczego gdzie kiedy czy nie się jest na
    bir ve ne nasıl için kya hai ka ki ke se mein kaise aur
""") - word_set("come per un in me on of to is os il pas um co hay mi")
