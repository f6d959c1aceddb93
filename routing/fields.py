"""A text column that is encrypted at rest and fails closed."""

import base64
import hashlib
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class UndecryptableError(ValueError):
    """The stored value was encrypted with a key that is no longer configured."""


def cipher() -> MultiFernet:
    """The first configured key encrypts, all of them decrypt."""
    return MultiFernet(
        [
            Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
            for key in settings.ENCRYPTION_KEYS
        ]
    )


def encrypt(text: str) -> str:
    return cipher().encrypt(text.encode()).decode() if text else ""


def decrypt(token: str) -> str:
    """The clear text. Raises UndecryptableError; never returns the token itself."""
    if not token:
        return ""
    try:
        return cipher().decrypt(token.encode()).decode()
    except InvalidToken:
        raise UndecryptableError(
            "The stored key can't be decrypted with LLM_ROUTER_ENCRYPTION_KEYS. "
            "Enter it again, or put the old encryption key back."
        ) from None


class EncryptedTextField(models.TextField):
    """Holds the *token* in Python as in the database; `encrypt()` on the way in.

    Reading never decrypts by itself, so a template, an export or `repr()` of the row
    has nothing to leak. The snapshot calls `decrypt()` where the key is used.
    """

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, _, args, kwargs = super().deconstruct()
        return name, "routing.fields.EncryptedTextField", args, kwargs
