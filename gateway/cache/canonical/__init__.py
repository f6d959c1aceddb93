"""The canonical form of a question: equal for two wordings of the same question.

`frame` gives it, or None when only the exact text may be matched; `refusal` says which
rule decided so. There is no similarity and no threshold: two questions are the same
when their frames are equal. A rule that is missing costs a hit; a rule that is wrong
serves a wrong answer, so in doubt a word stays.

    tokens.py        text -> words, and the material that no rule touches
    gates.py         questions that are matched by their exact text only
    mentions.py      words that are asked about as words
    lexicon.py       one word at a time, by vocabulary.py; typos.py for slips

Rules rewrite a line of canonical words, each beside its examples and its traps. Those
that need articles and commas look once, the others until nothing changes any more: the
canonical form of a canonical form is itself.

    politeness.py    what people say around a question
    requests.py      "could you tell me", "I'd like to know", "help me to"
    numbers.py       units, money, large numbers, dates
    sums.py          sums and conversions
    methods.py       how to do something; texts and programs to be written
    questions.py     when, where, why; definitions, differences, kinds
    amounts.py       how much of something there is
    idioms.py        set phrases
    verbs.py         who does it, who may, passives
    superlatives.py  the best, the largest and the most
    articles.py      articles that say something
    phrases.py       owners, and words that say nothing
    order.py         what may stand anywhere, what may be swapped

    frame.py         the order in which all this happens
"""

from gateway.cache.canonical.frame import Frame, frame, refusal

__all__ = ["Frame", "frame", "refusal"]
