"""Provider messages without what only the operator may know."""

import re

Rule = tuple[re.Pattern[str], str]


def rule(pattern: str, instead: str) -> Rule:
    """Each has bounds, so that no message takes long."""
    return re.compile(pattern, re.IGNORECASE | re.ASCII), instead


URL = rule(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>]{1,2000}", "[url]")
EMAIL = rule(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}", "[email]")
KEYS = tuple(
    rule(pattern, instead)
    for pattern, instead in (
        (
            r"\b(?:bearer|basic)\s{1,5}(?=[\w.~+/=*-]{0,200}[\d*=])"
            r"[\w.~+/=*-]{8,2000}",
            "[key]",
        ),
        (r"\b(?:sk|gsk|xai|hf|r8|ghp|glpat)[-_][\w*.-]{6,500}", "[key]"),
        (
            r"\b(?:pk|rk|ak|key|org|proj|acct|req)[-_](?=[\w*-]{0,64}[\d*])"
            r"[\w*-]{8,500}",
            "[key]",
        ),
        (r"\b(?:AIza|AKIA|eyJ)[\w.-]{10,2000}", "[key]"),
        (r"\b(?=[a-z_]{0,500}\d)(?=\d{0,500}[a-z_])\w{32,2000}\b", "[key]"),
    )
)
HOSTS = tuple(
    rule(pattern, instead)
    for pattern, instead in (
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b", "[address]"),
        (
            r"(?<![\w:])\[?(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}"
            r"(?:\](?::\d{1,5})?|(?![\w:]))",
            "[address]",
        ),
        (r"(?<![\w.-])::1(?![\w:])", "[address]"),
        (
            r"(?<![\w.-])(?:localhost|(?:[a-z0-9-]{1,63}\.){1,8}(?:com|net|org|io|ai|"
            r"dev|app|cloud|co|eu|de|uk|us|cn|local|localdomain|internal|intranet|"
            r"lan|corp|home|svc|arpa|test|example))(?::\d{1,5})?(?![\w-])",
            "[host]",
        ),
        (r"(?<![\w.-])[a-z][a-z0-9.-]{0,253}:\d{4,5}(?![\w.-])", "[host]"),
    )
)
# Addresses go before the names in them.
SECRETS = (URL, *KEYS, EMAIL, *HOSTS)


def redact(text: str) -> str:
    """The text without keys, addresses of any kind, and people."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text
