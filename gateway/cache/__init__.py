"""Answers given before: what may be reused, by which key, and where it is kept.

key.py        what must be equal
policy.py     what may be cached or shared at all
canonical/    the same question in other words
jaccard.py    similar word sets, guarded
store.py      bounded memory
lookup.py     AnswerCache, the one object the pipeline uses
"""

from gateway.cache.key import fingerprint
from gateway.cache.lookup import AnswerCache, CacheKeys, CacheStats, Hit, Level
from gateway.cache.policy import storable
from gateway.cache.store import Entry

__all__ = [
    "AnswerCache",
    "CacheKeys",
    "CacheStats",
    "Entry",
    "Hit",
    "Level",
    "fingerprint",
    "storable",
]
