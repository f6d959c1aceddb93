"""Answers given before: what may be reused, by which key, and where it is kept.

key.py        what must be equal
matching.py   by what a request is found, at each level
policy.py     what may be cached or shared at all
canonical/    the same question in other words
neighbours.py stored questions near to another one by their words
embeddings.py and by an embedding model's directions
proposals.py  both of them: which questions a judge may be asked about, never hits
aliases.py    wordings that were judged to be the same question
jaccard.py    similar word sets, guarded
store.py      bounded memory
withdrawal.py answers taken back by model or age
hits.py       what a look-up finds
lookup.py     AnswerCache, the one object the pipeline uses
"""

from gateway.cache.hits import CacheStats, Hit, Level, Proposal, shared_hit
from gateway.cache.key import fingerprint
from gateway.cache.lookup import AnswerCache
from gateway.cache.matching import CacheKeys
from gateway.cache.policy import storable
from gateway.cache.store import Entry
from gateway.cache.withdrawal import Withdrawal, Withdrawals

__all__ = [
    "AnswerCache",
    "CacheKeys",
    "CacheStats",
    "Entry",
    "Hit",
    "Level",
    "Proposal",
    "Withdrawal",
    "Withdrawals",
    "fingerprint",
    "shared_hit",
    "storable",
]
