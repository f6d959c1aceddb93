"""How often a level of the cache is wrong at most, and when that is too often."""

from routing.bounds import lower_bound, upper_bound


def why_off(wrong: int, judged: int, limit: float, enough: int) -> str:
    """Why a level must go off, or "".

    Below `enough` audits even a perfect level can't be shown to keep the limit, so
    until then it only goes off when it surely breaks it: two wrong hits at least, and
    the lower bound above the limit.
    """
    upper = upper_bound(wrong, judged)
    counts = f"{wrong} of {judged} audited hits were wrong"
    if judged >= enough and upper > limit:
        return f"{counts}: up to {upper:.2%}, above the limit of {limit:.2%}."
    if wrong >= 2 and (lower := lower_bound(wrong, judged)) > limit:
        return f"{counts}: at least {lower:.2%}, above the limit of {limit:.2%}."
    return ""
