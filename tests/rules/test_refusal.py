"""What is read out of Apprise's log lines, and that no secret is. Real servers' answers are in test_notify.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.refusal import redacted, refusal


@given(
    pieces=st.lists(st.from_regex(r"[A-Za-z0-9_%]{5,30}", fullmatch=True), min_size=3, max_size=3),
    around=st.text(max_size=20),
)
def test_no_piece_of_a_url_survives_redaction(pieces: list[str], around: str) -> None:
    user, password, path = pieces
    url = f"json://{user}:{password}@example.com/{path}?key={path}x"
    shown = redacted(around.join([*pieces, url, "", f"{path}x".upper()]), url).lower()
    assert not [piece for piece in pieces if piece.lower() in shown.replace("***", " ")]


@pytest.mark.parametrize(
    ("text", "url", "shown"),
    [
        ("no channel ops here", "slack://xoxb-1/#ops", "no channel *** here"),
        ("the stop word", "slack://xoxb-1/#ops", "the stop word"),
        ("pw is wrong", "mailto://me:pw@example.com", "*** is wrong"),
        ("p@ss/w rd", "mailto://me:p%40ss%2Fw%20rd@example.com", "***"),
        ("a\nb\t c", "json://x", "a b c"),
        ("call +1 (555) 765-4321 now", "json://h", "call *** now"),
        ("token eyJhbGciOiJIUzI1NiJ9.e30 here", "json://h", "token *** here"),
        ("channel_is_archived_and_will_not_return", "json://h", "channel_is_archived_and_will_not_return"),
        ("x" * 300, "json://h", "x" * 100),
        ("no way", "json://h/?image=no", "no way"),
    ],
)
def test_redaction_leaves_what_explains(text: str, url: str, shown: str) -> None:
    assert redacted(text, url) == shown


@pytest.mark.parametrize(
    "details", ["", "b'", "b'\\xff'", "None", "[" * 5000, "{'a': 1}", "b'" + "[" * 100_000 + "'", "123"]
)
def test_any_body_that_apprise_logs_is_taken(details: str) -> None:
    logs = [("WARNING", "Failed to send: error=500."), ("DEBUG", f"Response Details:\r\n{details}")]
    assert refusal(logs, "json://h").text.startswith("answered HTTP 500 Internal Server Error")


def test_a_plugin_that_says_nothing_is_said_to_say_nothing() -> None:
    assert refusal([], "json://h").text == "did not accept it, and Apprise does not tell why"
    why = refusal([("WARNING", "There are no Email recipients to notify")], "json://h")
    assert (why.text, why.permanent) == ("did not send: There are no Email recipients to notify", True)
