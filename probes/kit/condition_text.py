"""The text of a condition before jmespath's parser reads it, and in words what that parser finds wrong with it."""

import json
import re
from collections.abc import Iterator, Sequence

from jmespath.exceptions import LexerError, ParseError


class ConditionError(ValueError):
    """What is wrong with a condition or path and what would be right; `offset` is the column, from 0."""

    def __init__(self, text: str, offset: int) -> None:
        super().__init__(text)
        self.offset = offset


def did_you_mean(word: str, known: Sequence[str], otherwise: str) -> str:
    """`did you mean 'FAILED'?` where one of `known` is near, else all of them: `it is one of …`."""
    from difflib import get_close_matches  # 2 ms; only a mistake pays it

    folded = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), folded, n=1)
    return f"did you mean {folded[near[0]]!r}?" if near else f"{otherwise} {', '.join(known) or 'nothing'}"


_PIECE = re.compile(
    r"""(?P<quoted> '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" )
      | (?P<literal> `(?:\\.|[^`\\])*` )
      | (?P<name> [A-Za-z_][A-Za-z0-9_]* )
      | (?P<number> -?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\w* )
      | (?P<mark> \[\? | \S )""",
    re.VERBOSE | re.DOTALL,
)


def with_literals(text: str) -> tuple[str, list[int]]:
    """`text` with each bare number in the backquotes that JMESPath wants, and where each character of it came from."""
    pieces = list(_PIECE.finditer(text))
    spelled, origins, done = "", list[int](), 0
    for piece in pieces:
        _refuse_bad_quotes(piece)
    for index in _bare_numbers(pieces):
        start, end = pieces[index].span()
        _refuse_odd_number(pieces[index])
        spelled += f"{text[done:start]}`{text[start:end]}`"
        origins += [*range(done, start), start, *range(start, end), start]
        done = end
    return spelled + text[done:], [*origins, *range(done, len(text) + 1)]


def _bare_numbers(pieces: Sequence[re.Match[str]]) -> Iterator[int]:
    """The numbers that are values. Those of `[0]` and `[0:3]` are not."""
    words = ["", *(piece.group() for piece in pieces), ""]
    for index, piece in enumerate(pieces):
        around = {words[index], words[index + 2]}
        if piece.lastgroup == "number" and not around <= {"[", ":", "]"}:
            yield index


def _refuse_odd_number(piece: re.Match[str]) -> None:
    try:
        json.loads(piece.group())
    except ValueError:
        instead = "write it plainly, such as 300 for 5m, 0.5 or 1e6"
        raise ConditionError(f"{piece.group()} is not a number; {instead}", piece.start()) from None


def _refuse_bad_quotes(piece: re.Match[str]) -> None:
    if piece.group() in ("'", '"', "`"):
        raise ConditionError(f"the {piece.group()} that opens here is never closed", piece.start())
    if piece.lastgroup == "literal":
        body = piece.group()[1:-1].replace("\\`", "`")
        try:
            json.loads(body)
        except ValueError:
            # jmespath would take it for a string, with a deprecation warning (JEP-12).
            raise ConditionError(f"`{body}` is not JSON; a string is written '{body}'", piece.start()) from None


_INSTEAD = {
    "and": "write && for `and`",
    "or": "write || for `or`",
    "not": "write ! for `not`",
    "in": "write contains(list, value)",
    "&": "write && for `and`",
    "=": "write == to compare; JMESPath has no regular expressions",
    "+": "JMESPath has no arithmetic",
    "/": "JMESPath has no arithmetic",
    "%": "JMESPath has no arithmetic",
    "-": 'JMESPath has no arithmetic; a name with a dash is written "max-lag"',
}


def what_is_wrong(error: ParseError) -> str:
    """jmespath's complaint in words, with what to write instead where people are used to write it so."""
    token = str(error.token_value)
    if isinstance(error, LexerError) and len(token) > 1:
        return f"{token} has a bad escape: {error.message}"
    if error.msg.startswith("Quoted identifier"):
        return "the name of a function is written without quotes"
    if not token:
        return "it ends too early; something is still to come"
    instead = _INSTEAD.get(token.lower())
    return f"{token!r} is not expected here{'; ' + instead if instead else ''}"
