"""Words by their canonical form: what the lexicon looks up."""

from gateway.cache.canonical.english import word_set, words_of


def variants(text: str) -> dict[str, str]:
    """From lines such as `largest: biggest`: each word to what stands first."""
    known: dict[str, str] = {}
    for line in text.strip().splitlines():
        canonical, _, others = line.strip().partition(": ")
        known |= dict.fromkeys(others.split(), canonical)
    return known


CONTRACTIONS = variants("""
    can not: can't cannot cant
    will not: won't wont
    shall not: shan't
    would not: wouldnt
    should not: shouldnt
    could not: couldnt
    do not: dont doesnt
    did not: didnt
    is not: ain't isnt arent
    let us: let's
    you all: y'all
    what is: whats
    where is: wheres
    who is: whos
    how is: hows
    i have: ive
    i is: im
    going to: gonna
    want to: wanna
    have to: gotta
""")
ENDINGS = {"'re": "is", "'ve": "have", "'ll": "will", "'m": "is", "'d": "would"}
# What stands before 's when it means "is"; after all else it means "of".
TAKES_IS = word_set("""
    what which who where when why how it that there here he she this everything
    something nothing long much far old many big often tall
""")
# Agreement of subject and verb says nothing.
AGREEMENT = variants("""
    is: are am
    was: were
    do: does
    have: has
    a: an
""")
# One spelling for what is spelled in two ways, and slips in words too short to correct.
SPELLINGS = variants("""
    behavior: behaviour
    center: centre
    theater: theatre
    meter: metre
    liter: litre
    fiber: fibre
    kilometer: kilometre
    centimeter: centimetre
    millimeter: millimetre
    analyze: analyse
    catalog: catalogue
    dialog: dialogue
    program: programme
    defense: defence
    license: licence
    gray: grey
    tire: tyre
    aluminum: aluminium
    traveling: travelling
    canceled: cancelled
    labeled: labelled
    modeling: modelling
    jewelry: jewellery
    pajamas: pyjamas
    check: cheque
    okay: ok alright
    yogurt: yoghurt
    plow: plough
    skeptical: sceptical
    learned: learnt
    what: waht
    which: wich
    how: hwo
    the: teh
    their: thier
    get: recieve
    you: u
    your: ur
    please: pls plz
    thanks: thx
    am: a.m.
    pm: p.m.
    eg: e.g.
    ie: i.e.
    usa: usʹ u.s u.s. u.s.a.
    uk: u.k.
""")
# Words that mean the same in every context we could think of.
SYNONYMS = variants("""
    largest: biggest
    large: big
    fast: quick quickly
    fastest: quickest
    maximum: max
    minimum: min
    application: app
    information: info
    picture: pic photo photograph image
    film: movie
    child: kid
    mother: mom mum
    father: dad
    site: website
    page: webpage
    television: tv
    refrigerator: fridge
    bicycle: bike
    airplane: aeroplane
    taxi: cab
    car: automobile
    truck: lorry
    gasoline: petrol
    math: maths mathematics
    versus: vs
    government: govt
    postgresql: postgres
    mongodb: mongo
    kubernetes: k8s
    js: javascript
    ts: typescript
    start: begin commence
    get: obtain receive acquire
    buy: purchase
    need: require
    improve: enhance
    lent: loaned
    build: construct
    fix: repair
    remove: delete erase
    happen: occur
    hard: difficult
    rich: wealthy
    enough: sufficient
    often: frequently
    almost: nearly
    perhaps: maybe
    doctor: physician
    trash: rubbish
    advantage: merit benefit pro upside
    disadvantage: drawback con downside demerit
    explain: describe
    legal: lawful
    legally: lawfully
    illegal: unlawful
    if: whether
    on: upon
    among: amongst
    while: whilst
    until: til till
    everybody: everyone
    somebody: someone
    anybody: anyone
    dollar: usd
    euro: eur
    lb: lbs
    ounce: oz
    kilogram: kg kgs
    kilometer: km kms
    centimeter: cm
    millimeter: mm
    configuration: config
    database: db
    repository: repo
    administrator: admin
    authentication: auth
    library: lib
    function: func
    parameter: param
    directory: dir
    advertisement: ad advert
    flu: influenza
    temperature: temp
    approximately: approx
    average: avg
    number: num
    department: dept
    management: mgmt
    introduction: intro
    university: uni
    vegetable: veggie
    exam: examination
    laboratory: lab
    help: assist assistance
    choose: select
    answer: reply respond
""")
# Of these one is only the other in short.
SHORT_FORMS = word_set("""
    app application db database docs config configuration repo repository car automobile
    film movie child kid usa uk js javascript postgres postgresql mongo mongodb k8s
    kubernetes ad advertisement tv television exam examination lab laboratory flu
    influenza photo image picture website site phone math
""")
# Not "one", which is a pronoun as well.
COUNTED = words_of("""
    two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty
""")
TENS = words_of("thirty forty fifty sixty seventy eighty ninety")
NUMBERS = {word: str(number) for number, word in enumerate(COUNTED, start=2)} | {
    word: str(number) for number, word in zip(range(30, 100, 10), TENS, strict=True)
}
ROMAN = {"ii": "2", "iii": "3"}
SIGNS = {"%": "percent", "&": "and", "×": "*", "÷": "/"}
ORDINALS = dict(
    zip(
        words_of("1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th"),
        words_of("first second third fourth fifth sixth seventh eighth ninth tenth"),
        strict=True,
    )
)

IRREGULAR = variants("""
    topic: topics
    comic: comics
    critic: critics
    clinic: clinics
    fabric: fabrics
    metric: metrics
    mosaic: mosaics
    picnic: picnics
    plastic: plastics
    republic: republics
    man: men
    woman: women
    child: children
    foot: feet
    tooth: teeth
    mouse: mice
    goose: geese
    knife: knives
    wife: wives
    live: lives
    wolf: wolves
    half: halves
    shelf: shelves
    criterion: criteria
    bacterium: bacteria
    fungus: fungi
    cactus: cacti
    nucleus: nuclei
    stimulus: stimuli
    phenomenon: phenomena
    film: movies
    cookie: cookies
    go: goes
    potato: potatoes
    tomato: tomatoes
    hero: heroes
    echo: echoes
    analysis: analyses
    hypothesis: hypotheses
    crisis: crises
    index: indices
    vertex: vertices
    matrix: matrices
    die: dies
    lie: lies
    tie: ties
""")
# An s at their end makes another word of them, or is no plural.
INVARIABLE = word_set("""
    news goods customs glasses arms pants times works rights lights means manners
    spirits terms savings earnings damages contents sands woods forces waters airs
    colors brains clothes premises grounds looks minutes riches stairs thanks odds
    ashes guts remains regards quarters headquarters barracks surroundings outskirts
    belongings congratulations leaves series species lens always perhaps besides
    sometimes afterwards towards upwards downwards backwards forwards indoors outdoors
    overseas nowadays across unless less else windows jobs wales mars texas kansas
    arkansas athens naples brussels paris cyprus netherlands philippines nations united
    kubernetes pandas keras redis jenkins canvas atlas christmas gas bus yes this is was
    has does its his hers ours yours theirs as us sos ios aws dns https sms gps css os
    xbox diabetes rabies measles herpes mumps james charles thomas chris holmes adidas
    siemens mercedes cheers alias hives shingles bends piles aids shorts briefs trunks
    boxers spectacles scales greens blues sales checkers darts laos crabs rapids docs
    rickets
""")
# With ise in every English, as in "advertise" and "exercise".
NO_IZE = word_set("""
    advert exerc surpr prom enterpr compr superv merchand prec conc expert franch telev
    improv rev dev disgu parad prem treat adv otherw prema desp comprom circumc exc dem
    cru apprem arou
""")

NO_OR = word_set("fourth mourning mourn")

KNOWN = CONTRACTIONS | AGREEMENT | SPELLINGS | SYNONYMS | NUMBERS | ROMAN | SIGNS
