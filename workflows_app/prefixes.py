"""Ops whose requests begin with the same long text, which providers keep warm.

They go to one backend, the first of them leads, and Anthropic, which keeps only what is
marked, is told where the text they have in common ends.
"""

import hashlib
from dataclasses import dataclass
from os.path import commonprefix

from workflows_app import template
from workflows_app.definition import Definition, Op

# A prefix shorter than this is below what providers cache.
PREFIX_CHARS = 4096


@dataclass(frozen=True, slots=True)
class Prefix:
    """`key` is equal for ops that share it, "" for a short one. `chars` of it are the
    same in several calls: of the system text, then of the message."""

    key: str = ""
    chars: int = 0


def prefix_key(op: Op) -> str:
    text = static_text(op)
    if len(text) < PREFIX_CHARS:
        return ""
    return hashlib.sha256(f"{op.target}\n{text[:PREFIX_CHARS]}".encode()).hexdigest()


def static_text(op: Op) -> str:
    """What every request of the op begins with."""
    text = template.static_prefix(op.system)
    if text == op.system:
        text += template.static_prefix(op.template or op.prompt)
    return text


def prefixes(definition: Definition, *, in_batch: bool) -> dict[str, Prefix]:
    """By op. In a batch every op is called more than once."""
    groups: dict[str, list[Op]] = {}
    for op in definition.ops.values():
        if key := prefix_key(op):
            groups.setdefault(key, []).append(op)
    found = dict.fromkeys(definition.ops, Prefix())
    for key, ops in groups.items():
        again = in_batch or len(ops) > 1 or ops[0].map or ops[0].samples > 1
        common = len(commonprefix([static_text(op) for op in ops])) if again else 0
        found |= {op.name: Prefix(key, common) for op in ops}
    return found
