"""How mistakes are put: a near word first, else all there are."""

from collections.abc import Iterable
from difflib import get_close_matches


def near(word: str, known: Iterable[str]) -> str:
    """The one of `known` that `word` was probably meant to be; empty when there is none."""
    return next(iter(get_close_matches(word.lower(), list(known), 1, 0.65)), "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean `probe`?` where a known word is near, else `there are …`."""
    words = list(known)
    found = near(word, words)
    if found:
        return f"did you mean `{found}`?"
    return f"there are {', '.join(words)}" if words else "there are none"
