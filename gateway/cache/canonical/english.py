"""Word classes of English that several rules ask about."""


def word_set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def phrases(*texts: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(text.split()) for text in texts)


QUESTION_WORDS = word_set("what which who whom whose when where why how")
BE = word_set("is are was were am be been being")
AUXILIARIES = BE | word_set(
    "do does did have has had can could will would shall should may might must"
)
NEGATIONS = word_set("not no never none nothing nobody neither nor without")

# No other language has these: one is enough when nothing speaks against it.
ONLY_ENGLISH = QUESTION_WORDS | word_set("the does did should could would")

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

# Function words of the languages that look most like English in ASCII.
FOREIGN = word_set("""
    der das und ist ein eine nicht wie warum el los las que por es una como
    cual cuando le les des est et une qui quoi pourquoi comment il che di gli sono
    perché come quando het een niet wat waarom hoe och är inte hur um uma não
    """)
