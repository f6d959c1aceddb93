"""What providers had announced by November 2026: who, which models, when, and where.

A start only: written down from excerpts that a search showed of these pages, so that
the rows are not confirmed until an operator looked there, and are theirs to complete.
"""

OPENAI = "https://developers.openai.com/api/docs/deprecations"
ANTHROPIC = "https://platform.claude.com/docs/en/about-claude/model-deprecations"
GOOGLE = "https://ai.google.dev/gemini-api/docs/deprecations"

RETIREMENTS = (
    ("anthropic", "claude-3-opus-20240229", "2026-01-05", ANTHROPIC),
    (
        "anthropic",
        "claude-sonnet-4-0, claude-sonnet-4-20250514, "
        "claude-opus-4-0, claude-opus-4-20250514",
        "2026-06-15",
        ANTHROPIC,
    ),
    ("anthropic", "claude-opus-4-1, claude-opus-4-1-20250805", "2026-08-05", ANTHROPIC),
    ("gemini", "gemini-3-pro-preview", "2026-03-09", GOOGLE),
    ("gemini", "gemini-2.5-flash-image", "2026-10-02", GOOGLE),
    ("gemini", "gemini-2.5-pro, gemini-2.5-flash", "2026-12-01", GOOGLE),
    (
        "openai",
        "gpt-3.5-turbo, gpt-3.5-turbo-0125, gpt-4, gpt-4-0613, gpt-4-1106-preview, "
        "gpt-4-turbo, gpt-4-turbo-2024-04-09, gpt-4o-2024-05-13, gpt-4.1-nano, "
        "gpt-4.1-nano-2025-04-14, o1, o1-2024-12-17, o1-pro, o1-pro-2025-03-19, "
        "o3-mini, o3-mini-2025-01-31, o4-mini, o4-mini-2025-04-16",
        "2026-10-23",
        OPENAI,
    ),
    (
        "openai",
        "gpt-5, gpt-5-2025-08-07, gpt-5-mini, gpt-5-mini-2025-08-07, gpt-5-nano, "
        "gpt-5-nano-2025-08-07, gpt-5-pro, gpt-5-pro-2025-10-06, o3, o3-2025-04-16, "
        "o3-pro, o3-pro-2025-06-10",
        "2026-12-11",
        OPENAI,
    ),
    (
        "openai",
        "gpt-4o, gpt-4o-2024-*, gpt-4o-mini, gpt-4o-mini-2024-*, gpt-4.1, "
        "gpt-4.1-2025-*, gpt-4.1-mini, gpt-4.1-mini-2025-*",
        "2027-01-14",
        OPENAI,
    ),
    ("openai", "gpt-5.1, gpt-5.3-codex, gpt-5.4-nano", "2027-04-01", OPENAI),
)
