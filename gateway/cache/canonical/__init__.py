"""The canonical form of a question: equal for two wordings of the same question.

`frame` gives it, or None when only the exact text may be matched; `refusal` says which
rule decided so. There is no similarity and no threshold: two questions are the same
when their frames are equal. A rule that is missing costs a hit; a rule that is wrong
serves a wrong answer, so in doubt a word stays.

    tokens.py      text -> words, and the material that no rule touches
    gates.py       questions that are matched by their exact text only
    lexicon.py     one word at a time: contractions, spelling, inflection, synonyms
    typos.py       misspelled words
    politeness.py  what people say around a question
    quantities.py  numbers, units, money, dates, sums
    questions.py   the forms one question can take
    phrases.py     owners, places, lists, order, words that say nothing
    frame.py       the order in which all this happens
"""

from gateway.cache.canonical.frame import Frame, frame, refusal

__all__ = ["Frame", "frame", "refusal"]
