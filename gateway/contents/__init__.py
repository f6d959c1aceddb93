"""Keeping what was asked and answered, only where the policy or a key says so.

Texts are cut and redacted in the process that served the request, before they reach the
journal: what must not be stored is in no file at all, not even for a moment.
"""

from gateway.contents.transcript import listen

__all__ = ["listen"]
