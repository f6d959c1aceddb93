"""What is wrong with a configuration, collected so that all of it is told at once."""

from collections.abc import Iterable
from difflib import get_close_matches


class ConfigurationError(Exception):
    """Why a configuration was refused: one message per problem, never a secret."""

    def __init__(self, messages: Iterable[str]) -> None:
        self.messages = tuple(messages)
        super().__init__("\n".join(self.messages))


class Problems:
    """The problems of one file; `source` is what its messages begin with."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._found: list[tuple[int, str]] = []

    def add(self, line: int, message: str) -> None:
        self._found.append((line, message))

    def __bool__(self) -> bool:
        return bool(self._found)

    def raise_if_any(self) -> None:
        if self._found:
            raise ConfigurationError(
                f"{self.source}:{line}: {message}"
                for line, message in sorted(set(self._found))
            )

    def stop(self, line: int, message: str) -> ConfigurationError:
        """The error to raise when reading on makes no sense."""
        return ConfigurationError([f"{self.source}:{line}: {message}"])


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean "model"?` when something known looks like `word`."""
    close = get_close_matches(word, list(known), n=1)
    return f'; did you mean "{close[0]}"?' if close else ""
