"""What is refused before anything is judged, and where."""

import pytest

from probes.kit.condition import Condition, ConditionError, Path


@pytest.mark.parametrize(
    ("text", "offset", "what"),
    [
        ("", 0, "it is empty; write something like status == 'CRITICAL'"),
        (" \n", 0, "it is empty; write something like status == 'CRITICAL'"),
        ("a = 5", 2, "'=' is not expected here; write == to compare; JMESPath has no regular expressions"),
        ("a and b", 2, "'and' is not expected here; write && for `and`"),
        ("a AND b", 2, "'AND' is not expected here; write && for `and`"),
        ("a > 5 or b", 6, "'or' is not expected here; write || for `or`"),
        ("a & b", 2, "'&' is not expected here; write && for `and`"),
        ("a + 1", 2, "'+' is not expected here; JMESPath has no arithmetic"),
        (
            "data.max-lag > 1",
            8,
            "'-' is not expected here; JMESPath has no arithmetic; a name with a dash is written \"max-lag\"",
        ),
        ("a > 0.5 && bb cc", 14, "'cc' is not expected here"),
        ("a > 5 && b == 'x", 14, "the ' that opens here is never closed"),
        ("a > `5", 4, "the ` that opens here is never closed"),
        ('a == "x', 5, 'the " that opens here is never closed'),
        ('a > 5 && "\\x" == b', 9, '"\\x" has a bad escape: Invalid \\escape'),
        ("(a > 5", 6, "it ends too early; something is still to come, or a bracket to close"),
        ("a > 5 && b.", 11, "it ends too early; something is still to come"),
        ("a > 5m", 4, "5m is not a number; write it plainly, such as 300 for 5m, 0.5 or 1e6"),
        ("a > 007", 4, "007 is not a number; write it plainly, such as 300 for 5m, 0.5 or 1e6"),
        ("a == `FAILED`", 5, "`FAILED` is not JSON; a string is written 'FAILED'"),
        ("a > 5 && lenght(b) > 5", 9, "there is no function lenght(); did you mean 'length'?"),
        ("a > 5 && contains(b)", 9, "contains() takes 2 arguments, not 1"),
        ("merge()", 0, "merge() takes 1 or more arguments, not 0"),
        ("max_by(a, b).c == 5", 10, "max_by() wants an expression such as &b as argument 2"),
        ("length(&a) > 5", 8, "length() wants a value, without & as argument 1"),
        ("&a", 0, "`&` stands only before a function's argument, as in max_by(data.partitions, &lag)"),
        ("b > 1 || [&a]", 11, "`&` stands only before a function's argument, as in max_by(data.partitions, &lag)"),
        ("a[::0] == b", 0, "a slice cannot step by 0; write [start:stop] or [start:stop:step]"),
        ("!" * 60 + "a", 0, "it is nested more than 50 levels deep; split it into several rules"),
        ("(" * 9999 + "a", 0, "it is nested more than 50 levels deep; split it into several rules"),
    ],
)
def test_a_mistake_is_named_with_its_column_and_what_would_be_right(text: str, offset: int, what: str) -> None:
    for kind in (Condition, Path):
        with pytest.raises(ConditionError) as refused:
            kind(text)
        assert (refused.value.offset, str(refused.value)) == (offset, what)


def test_an_unknown_function_without_a_near_name_lists_all() -> None:
    with pytest.raises(ConditionError, match=r"there is no function qq\(\); there are abs, avg, .*values"):
        Condition("qq(a)")


def test_a_generated_rule_may_have_hundreds_of_alternatives() -> None:
    text = " || ".join(f"topic == 't{at}'" for at in range(1000))
    assert Condition(text).judge({"topic": "t999"}).verdict == "MET"


def test_the_deepest_condition_can_be_judged_far_down_the_stack() -> None:
    condition = Condition("!" * 50 + "ok")

    def deeper(levels: int) -> str:
        return deeper(levels - 1) if levels else condition.judge({"ok": True}).verdict

    assert deeper(400) == "MET"
