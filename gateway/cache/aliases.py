"""Learned aliases: canonical keys of questions that a judge found to be the same.

A class is a question and the other wordings judged the same as it, each against it
directly. Its key names all of its members, so an answer stored for a class of which a
member was since added or taken out is not found any more.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

CLASS_MEMBERS = 20  # wordings of one question; more are not learned


def classes_of(roots: Mapping[bytes, bytes]) -> dict[bytes, frozenset[bytes]]:
    """The members of each class, its root among them, by the root."""
    members: dict[bytes, set[bytes]] = {}
    for wording, root in roots.items():
        members.setdefault(root, {root}).add(wording)
    return {root: frozenset(each) for root, each in members.items()}


def class_key(members: Iterable[bytes]) -> bytes:
    return hashlib.sha256(b"llm-router alias 1" + b"".join(sorted(members))).digest()


class Aliases:
    """What was learned and refused, of all scopes: a key contains its scope."""

    def __init__(self) -> None:
        self._roots: Mapping[bytes, bytes] = {}
        self._classes: dict[bytes, bytes] = {}  # member -> the key of its class
        self._class_keys: frozenset[bytes] = frozenset()
        self._refused: frozenset[tuple[bytes, bytes]] = frozenset()

    def __len__(self) -> int:
        return len(self._roots)

    def replace(
        self, roots: Mapping[bytes, bytes], refused: Iterable[tuple[bytes, bytes]] = ()
    ) -> Iterator[tuple[bytes, bytes]]:
        """Know these wordings, each with its question's key, and no others; tells each
        member that is in a new class, with the key of the class."""
        before = self._classes
        self._roots, self._refused = roots, frozenset(refused)
        self._classes = {
            member: key
            for members in classes_of(roots).values()
            for key in (class_key(members),)
            for member in members
        }
        self._class_keys = frozenset(self._classes.values())
        for member, key in self._classes.items():
            if before.get(member) != key:
                yield member, key

    def is_class(self, key: bytes) -> bool:
        return key in self._class_keys

    def class_of(self, canonical: bytes | None) -> bytes | None:
        return self._classes.get(canonical) if canonical else None

    def may_learn(self, wording: bytes, root: bytes) -> bool:
        """Not what was judged before, and only what would be judged against the root:
        no chains, by which a meaning drifts."""
        if wording == root or wording in self._classes or root in self._roots:
            return False
        if (wording, root) in self._refused or (root, wording) in self._refused:
            return False
        return sum(each == root for each in self._roots.values()) < CLASS_MEMBERS
