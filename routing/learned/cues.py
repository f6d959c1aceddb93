"""The counted cues of a prompt: named, few, and readable in the explain view.

Words count for the group they stand in; characters are counted as they are. A model
sees them beside the hashed words, and they carry what single words are too rare for.
"""

GROUPS: dict[str, str] = {
    "mathematics": (
        "equation equations polynomial integer integers prime functions derivative "
        "integral matrix vector group ring field graph theorem sum product quotient "
        "remainder divisible modulo root roots solve compute calculate evaluate "
        "simplify factor algebra arithmetic number numbers digit digits expression "
        "inequality log logarithm sequence series"
    ),
    "geometry": (
        "triangle circle square rectangle polygon radius diameter angle angles "
        "degrees area perimeter volume length width height cube sphere parallel "
        "perpendicular sides"
    ),
    "chance": (
        "probability random dice coin cards average mean median variance deviation "
        "distribution sample expected percent percentage ratio"
    ),
    "quantities": (
        "each every total many much half twice double triple times remaining left "
        "altogether per dozen pair fewer than another rest"
    ),
    "money": (
        "dollar dollars cents cost costs price pay paid sell sells buy buys bought "
        "earn earns spend spends salary profit sold budget tax"
    ),
    "time": (
        "hour hours minute minutes second seconds day days week weeks month months "
        "year years old age today yesterday tomorrow morning speed mph miles"
    ),
    "physics": (
        "force energy mass velocity acceleration gravity electric magnetic charge "
        "current voltage wave frequency light temperature heat pressure particle "
        "quantum momentum friction circuit"
    ),
    "chemistry": (
        "acid base atom atoms molecule molecules reaction ion ions bond electron "
        "electrons compound solution element carbon oxygen hydrogen water metal"
    ),
    "life": (
        "cell cells gene genes dna protein species organism plant plants animal "
        "animals evolution blood bacteria virus enzyme tissue organ population"
    ),
    "medicine": (
        "patient patients disease treatment symptoms drug diagnosis therapy "
        "clinical pain doctor medical health infection cancer hospital syndrome"
    ),
    "law": (
        "court law defendant plaintiff contract statute jury crime criminal liable "
        "liability constitutional rights act property negligence murder judge sued "
        "attorney"
    ),
    "economics": (
        "market demand supply inflation gdp interest rate firm firms consumer "
        "monetary fiscal trade policy income wage unemployment investment bank "
        "marketing company business management accounting"
    ),
    "society": (
        "government president war political party empire century revolution nation "
        "king american british united states treaty election military"
    ),
    "mind": (
        "psychology behavior cognitive emotional child children personality anxiety "
        "therapist learning social development stage theory"
    ),
    "ethics": (
        "moral morally ethical argument kant utilitarian justice virtue claim "
        "premise conclusion fallacy philosophy god religion"
    ),
    "computing": (
        "algorithm program code python java array string function database memory "
        "network server software computer bit bits byte class method variable loop "
        "sql api regex compile stack"
    ),
    "entertainment": (
        "movie film song album band actor actress character episode season novel "
        "book author played sang sings singer game team league player won"
    ),
    "places": (
        "city river country capital island mountain ocean located north south east "
        "west world land sea lake"
    ),
    "writing": (
        "write essay story poem letter email paragraph blog article draft compose "
        "rewrite edit creative fiction"
    ),
    "condensing": (
        "summarize summarise summary shorten brief condense outline tl dr key points"
    ),
    "extracting": (
        "extract classify label categorize identify list json csv format entities "
        "keywords sentiment convert parse"
    ),
    "translating": (
        "translate translation english french german spanish chinese japanese "
        "italian portuguese russian korean"
    ),
    "reasoning": (
        "because therefore thus hence explain why reason analyze analyse derive "
        "prove compare contrast tradeoff tradeoffs step steps careful thought think "
        "critique justify implies follows"
    ),
    "condition": "if then unless whether suppose assume given otherwise else provided",
    "negation": (
        "not no never none except without neither nor cannot false incorrect wrong "
        "isn don doesn"
    ),
    "comparison": (
        "best most least greatest largest smallest highest lowest more less better "
        "worse closest main primarily"
    ),
    "choosing": (
        "following option options choice choices answer correct true statement "
        "statements scenario scenarios select only"
    ),
    "commonsense": (
        "person people someone somebody man woman he she they his her kitchen house "
        "room car school table door food eat dog cat friend"
    ),
    "asking": "what whom whose where when how",
    "commanding": (
        "find give show make create implement determine describe define name state "
        "provide design tell help"
    ),
    "addressing": "i you me my your we our us please",
    "modality": "would should could might may must can will likely",
    "linking": "that which who of by to for from with in on at as and or but",
    "code words": (
        "def return import print const var elif self int str void null lambda "
        "struct printf"
    ),
    "stops": ".",
    "question marks": "?",
    "exclamation marks": "!",
    "commas": ",",
    "colons": ": ;",
    "quotes": '" \u201c \u201d',
    "apostrophes": "' \u2019",
    "brackets": "( ) [ ]",
    "braces": "{ }",
    "backslashes": "\\",
    "operators": "+ = * ^ < > ~ | &",
    "slashes": "/",
    "dollar signs": "$ \u20ac \xa3",
    "percent signs": "%",
    "hyphens": "- \u2013 \u2014",
    "gaps": "_",
    "code fences": "` #",
}
GROUP_OF = {
    word: place for place, words in enumerate(GROUPS.values()) for word in words.split()
}

# Counted in the text itself, because lines are no words.
MARKS: dict[str, tuple[str, ...]] = {
    "lines": ("\n",),
    "blank lines": ("\n\n",),
    "option labels": ("\nA", "\nB", "\nC", "\nD"),
    "indented lines": ("\n  ", "\n\t"),
    "numbered lines": ("\n1", "\n- ", "\n* "),
}
