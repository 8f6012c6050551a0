"""The errors that a user can cause, each with its culprit and the way out."""

from __future__ import annotations

import unicodedata


class EingradError(ValueError):
    """Base of every error raised for bad input; its text is meant for the user."""


class OptionError(EingradError):
    """An option does not fit the spec: a wrong name, number, size or choice."""


class ConfigError(EingradError):
    """A configuration file cannot be used as it stands."""


class RefusedError(EingradError):
    """An action was refused because it would destroy something we did not write."""


class StaleError(EingradError):
    """A generated file is not what the configuration gives."""


class InternalError(EingradError):
    """A bug of ours: a stage broke a promise that the next one relies on."""


class SpecError(EingradError):
    """A spec that cannot be read; ``span`` is where, as character positions.

    >>> print(SpecError("unknown character '1'", "i1", (1, 2), "indices are letters"))
    unknown character '1'
      i1
       ^
      indices are letters
    """

    def __init__(
        self, message: str, spec: str, span: tuple[int, int], hint: str
    ) -> None:
        super().__init__(message, spec, span, hint)
        self.message = message
        self.spec = spec
        self.span = span
        self.hint = hint

    def __str__(self) -> str:
        start, end = self.span
        shown = "".join(c if c.isprintable() else " " for c in self.spec)
        indent = " " * display_width(shown[:start])
        marker = "^" * max(1, display_width(shown[start:end]))
        pointer = [shown, indent + marker] if shown.strip() else []
        lines = [self.message, *pointer, *self.hint.splitlines()]
        return "\n  ".join(lines)


def display_width(text: str) -> int:
    """Count the terminal columns of ``text``: wide East Asian characters take two."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    marks = sum(unicodedata.combining(c) != 0 for c in text)
    return len(text) + wide - marks


def suggestion(word: str, choices: list[str]) -> str:
    """Return ``; did you mean 'x'?`` for the closest choice, or an empty string."""
    from difflib import get_close_matches

    close = get_close_matches(word, choices, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
