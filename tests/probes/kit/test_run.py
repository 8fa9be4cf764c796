"""run(): what a probe says or raises, as a status and an exit code, by who asks and whose health it tells."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from probes.kit.jsontext import dumps
from probes.kit.options import ProbeOptions, Url, option
from probes.kit.result import ProbeError, Result, Status, Unreachable, worst
from probes.kit.run import ALERT, LIVENESS, READINESS, Answer, run, timeout
from tests.probes.fakenet import NOW, FakeNet

OK, WARNING, CRITICAL, UNKNOWN = Status.OK, Status.WARNING, Status.CRITICAL, Status.UNKNOWN
KEYS = ["schema", "probe", "target", "status", "code", "message", "data", "time", "duration_ms"]


class Options(ProbeOptions):
    url: Url = option(default=Url("http://user:secret@host:1/x?token=secret"), help="Where.")
    far: bool = option(default=False, help="Whose health it tells.")


def module(outcome: object, asks: Any = "itself", **more: Any) -> Any:
    """A probe that ends in `outcome`: raises it if it is an exception."""

    def probe(o: Options, net: object) -> Any:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return SimpleNamespace(probe=probe, ASKS=asks, **more)


def ask(outcome: object, purpose: str = ALERT, asks: Any = "itself", **more: Any) -> Answer:
    return run("x", module(outcome, asks, **more), Options.build({}), FakeNet({}), purpose)


def result(status: Status, alive: bool = True, ready: bool | None = None) -> Result:
    return Result(status, "said", "http://host", {"a": 1}, alive=alive, ready=ready)


# One row for each rule of the design's status table: what happened, whose health is asked, then for an alert, a
# liveness and a readiness probe the status and the exit code.
@pytest.mark.parametrize(
    ("outcome", "asks", "alert", "liveness", "readiness"),
    [
        (result(OK), "itself", (OK, 0), (OK, 0), (OK, 0)),
        (result(WARNING), "itself", (WARNING, 1), (OK, 0), (OK, 0)),
        (result(CRITICAL), "itself", (CRITICAL, 2), (OK, 0), (CRITICAL, 1)),
        (result(UNKNOWN), "itself", (UNKNOWN, 3), (OK, 0), (CRITICAL, 1)),
        (result(CRITICAL, alive=False), "itself", (CRITICAL, 2), (CRITICAL, 1), (CRITICAL, 1)),
        (result(OK, ready=False), "itself", (OK, 0), (OK, 0), (CRITICAL, 1)),
        (result(CRITICAL, ready=True), "itself", (CRITICAL, 2), (OK, 0), (OK, 0)),
        (Unreachable("refused"), "itself", (CRITICAL, 2), (CRITICAL, 1), (CRITICAL, 1)),
        (Unreachable("refused"), "others", (UNKNOWN, 3), (OK, 0), (CRITICAL, 1)),
        (ProbeError("HTTP 401"), "itself", (UNKNOWN, 3), (OK, 0), (CRITICAL, 1)),
        (ProbeError("HTTP 401"), "others", (UNKNOWN, 3), (OK, 0), (CRITICAL, 1)),
        (KeyError("x"), "itself", (UNKNOWN, 3), (OK, 0), (CRITICAL, 1)),
        (OSError("x"), "itself", (UNKNOWN, 3), (OK, 0), (CRITICAL, 1)),
        (MemoryError(), "itself", (UNKNOWN, 3), (OK, 0), (CRITICAL, 1)),
        (RecursionError(), "itself", (UNKNOWN, 3), (OK, 0), (CRITICAL, 1)),
        (TimeoutError(), "itself", (UNKNOWN, 3), (OK, 0), (CRITICAL, 1)),
        (None, "itself", (UNKNOWN, 3), (OK, 0), (CRITICAL, 1)),
    ],
)
def test_what_happened_by_who_asks(
    outcome: object,
    asks: str,
    alert: tuple[Status, int],
    liveness: tuple[Status, int],
    readiness: tuple[Status, int],
) -> None:
    for purpose, expected in ((ALERT, alert), (LIVENESS, liveness), (READINESS, readiness)):
        said = ask(outcome, purpose, asks)
        assert (said.status, said.code) == expected, purpose
        assert said.document()["code"] == said.code


@pytest.mark.parametrize(("far", "status"), [("true", UNKNOWN), ("false", CRITICAL)])
def test_asks_may_be_a_function_of_the_options(far: str, status: Status) -> None:
    options = Options.build({"far": far})
    asked = module(Unreachable("refused"), lambda o: "others" if o.far else "itself")
    assert run("x", asked, options, FakeNet({})).status == status


def test_only_an_unreachable_address_counts_as_one() -> None:
    assert ask(Unreachable("refused")).unreachable
    assert not ask(ProbeError("HTTP 500")).unreachable
    assert not ask(OSError()).unreachable


@pytest.mark.parametrize(("purpose", "asked"), [(ALERT, "probe"), (LIVENESS, "live"), (READINESS, "ready")])
def test_a_probe_may_answer_a_kubelet_otherwise(purpose: str, asked: str) -> None:
    def hook(name: str) -> Any:
        return lambda o, net: Result(OK, name, "", None)

    assert ask(Result(OK, "probe", "", None), purpose, live=hook("live"), ready=hook("ready")).message == asked


@pytest.mark.parametrize("purpose", [LIVENESS, READINESS])
def test_what_a_hook_raises_is_mapped_alike(purpose: str) -> None:
    def hook(o: object, net: object) -> Result:
        raise Unreachable("refused")

    assert ask(result(OK), purpose, live=hook, ready=hook).code == 1
    assert ask(result(OK), purpose, "others", live=hook, ready=hook).code == (0 if purpose == LIVENESS else 1)


@pytest.mark.parametrize("error", [ValueError("hunter2"), KeyError("hunter2"), OSError(2, "hunter2", "hunter2")])
def test_a_fault_of_ours_is_named_and_placed_without_its_words(error: Exception) -> None:
    message = ask(error).message
    assert message.startswith(f"a fault inside stetho: {type(error).__name__} at ")
    assert "test_run:" in message
    assert message.endswith("; please report it")
    assert "hunter2" not in message


@pytest.mark.parametrize("asks", [None, lambda o: 1 / 0])
def test_a_fault_in_asks_itself_is_unknown_too(asks: object) -> None:
    assert ask(result(OK), asks=asks).status in (OK, UNKNOWN)
    assert ask(Unreachable("refused"), LIVENESS, asks=asks).code == 0


def test_a_probe_without_asks_or_probe_is_a_fault_not_a_crash() -> None:
    said = run("x", SimpleNamespace(), Options.build({}), FakeNet({}), LIVENESS)
    assert (said.code, said.data) == (0, None)
    assert "AttributeError" in said.message


def test_an_interrupt_is_not_an_answer() -> None:
    with pytest.raises(KeyboardInterrupt):
        ask(KeyboardInterrupt())


@pytest.mark.parametrize("outcome", [Unreachable("x"), ProbeError("x"), ValueError("x")])
def test_a_failure_names_the_target_without_login_and_query_and_has_no_data(outcome: Exception) -> None:
    document = ask(outcome).document()
    assert document["target"] == "http://host:1/x"
    assert document["data"] is None


@pytest.mark.parametrize("outcome", [result(OK), result(CRITICAL), Unreachable("x"), ValueError("x")])
@pytest.mark.parametrize("purpose", [ALERT, LIVENESS, READINESS])
def test_every_key_is_always_there(outcome: object, purpose: str) -> None:
    document = json.loads(dumps(ask(outcome, purpose).document()))
    assert list(document) == KEYS
    assert document["schema"] == 1
    assert document["time"] == "2026-11-20T23:33:20Z"
    assert NOW == 1795217600.0
    assert document["duration_ms"] >= 0


@pytest.mark.parametrize(
    ("purpose", "given", "seconds"),
    [(ALERT, {}, 5), (LIVENESS, {}, 0.8), (READINESS, {}, 0.8), (LIVENESS, {"timeout": "3s"}, 3)],
)
def test_the_deadline_of_a_kubelet_is_below_its_second(purpose: str, given: dict[str, str], seconds: float) -> None:
    assert timeout(Options.build(given), purpose) == seconds


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], UNKNOWN),
        ([OK], OK),
        ([OK, WARNING], WARNING),
        ([WARNING, UNKNOWN], UNKNOWN),
        ([UNKNOWN, CRITICAL, OK], CRITICAL),
    ],
)
def test_the_worst_of_several_is_critical_then_unknown_then_warning(statuses: list[Status], expected: Status) -> None:
    assert worst(statuses) == expected


def test_a_condition_reads_exactly_the_json_that_is_shown() -> None:
    said = ask(Result(Status.OK, "", "", {"lag": float("nan"), "most": float("inf"), "names": ("a", "b")}))

    assert said.as_read()["data"] == {"lag": "NaN", "most": "+Inf", "names": ["a", "b"]}
