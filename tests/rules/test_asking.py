"""Each distinct request once, a few at a time for each host, all by one deadline."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from probes.kit import catalog
from probes.kit.net import Reply, Request
from probes.kit.result import ProbeError, Unreachable
from probes.kit.run import Answer, run
from rules.asking import PER_HOST, THREADS, TIME_UP, Asked, Crew, View, ask
from rules.questions import Question
from tests.rules.worker import Worker

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0  # seconds that a condition is waited for; far more than it takes

Fetch = Callable[[Request, float], Reply]

RUNNING = {"connector": {"state": "RUNNING"}, "tasks": [{"id": 0, "state": "RUNNING"}]}
BODY = json.dumps({f"c{number}": {"status": RUNNING} for number in range(50)}).encode()


def question(url: str, connector: str = "c0", **options: str) -> Question:
    return Question("connect", catalog.load("connect").Options.build({"url": url, "connector": connector, **options}))


def soon(seconds: float = PATIENCE) -> float:
    return time.monotonic() + seconds


def asked(questions: list[Question], fetch: Fetch, end: float | None = None) -> tuple[list[Answer], dict[str, bool]]:
    """The answers in the order of the questions, and the hosts."""
    answers, hosts = Crew(questions, Asked(fetch), end or soon()).run()
    return [answers[one.key] for one in questions if one.key in answers], hosts


def well(request: Request, end: float) -> Reply:
    return Reply(200, {}, BODY)


def silent(request: Request, end: float) -> Reply:
    """Not a byte until the deadline."""
    time.sleep(max(0.0, end - time.monotonic()))
    raise Unreachable(f"{request}: not a byte")


class InFlight:
    """How many requests are under way at each host, and the most that ever were."""

    def __init__(self) -> None:
        self._lock, self.now, self.most = threading.Lock(), Counter[str](), Counter[str]()

    @contextmanager
    def at(self, host: str) -> Iterator[None]:
        with self._lock:
            self.now[host] += 1
            self.most[host] = max(self.most[host], self.now[host])
        yield
        with self._lock:
            self.now[host] -= 1


def test_questions_that_need_the_same_request_share_its_answer_while_it_is_under_way_and_afterwards() -> None:
    made = list[str]()

    def fetch(request: Request, end: float) -> Reply:
        made.append(str(request))
        time.sleep(0.05)  # so that others come for it meanwhile
        return well(request, end)

    answers, _ = asked([question("http://h", f"c{number}") for number in range(50)], fetch)
    assert [answer.status.name for answer in answers] == ["OK"] * 50
    assert made == ["GET http://h/connectors"]


def test_other_logins_are_other_requests(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p")
    both = [question("http://h"), question("http://h", username="u", password_file=str(tmp_path / "password"))]
    asking = Asked(well)
    Crew(both, asking, soon()).run()
    assert asking.requests == 2


def test_questions_with_other_timeouts_ask_for_themselves() -> None:
    def fetch(request: Request, end: float) -> Reply:
        if end - time.monotonic() < 5:
            return silent(request, end)
        return well(request, end)

    answers, hosts = asked([question("http://h", timeout="100ms"), question("http://h", timeout="10s")], fetch)
    assert [answer.status.name for answer in answers] == ["CRITICAL", "OK"]
    assert hosts == {"h": True}, "something came back from it"


def test_a_host_is_asked_only_so_much_at_a_time() -> None:
    flights, full = InFlight(), threading.Barrier(PER_HOST)

    def fetch(request: Request, end: float) -> Reply:
        with flights.at("h"):
            full.wait(PATIENCE)  # breaks unless so many are under way
            return well(request, end)

    answers, _ = asked([question(f"http://h/{number}") for number in range(3 * PER_HOST)], fetch)
    assert {answer.status.name for answer in answers} == {"OK"}
    assert flights.most["h"] == PER_HOST


def test_all_threads_together_ask_only_so_much_at_a_time() -> None:
    flights, full = InFlight(), threading.Barrier(THREADS)

    def fetch(request: Request, end: float) -> Reply:
        with flights.at("all"):
            full.wait(PATIENCE)
            return well(request, end)

    asked([question(f"http://h{number}") for number in range(2 * THREADS)], fetch)
    assert flights.most["all"] == THREADS


def test_a_slow_host_does_not_hold_up_the_others() -> None:
    others, all_others = Counter[str](), threading.Event()

    def fetch(request: Request, end: float) -> Reply:
        if "slow" in request.url:
            assert all_others.wait(PATIENCE), "the others wait for the slow one"
        else:
            others["answered"] += 1
            if others["answered"] == 150:
                all_others.set()
        return well(request, end)

    hosts = ["slow", "a", "b", "c"]
    answers, _ = asked([question(f"http://{host}/{number}") for host in hosts for number in range(50)], fetch)
    assert len(answers) == 200
    assert {answer.status.name for answer in answers} == {"OK"}


def test_hosts_that_do_not_answer_come_last() -> None:
    order, lock = list[str](), threading.Lock()

    def fetch(request: Request, end: float) -> Reply:
        with lock:
            order.append("dead" if "dead" in request.url else "well")
        if "dead" in request.url:
            raise Unreachable(f"{request}: connection refused")
        time.sleep(0.001)
        return well(request, end)

    dead, living = ([question(f"http://{kind}{n % 10}/{n}") for n in range(200)] for kind in ("dead", "well"))
    answers, hosts = asked([*dead, *living], fetch)
    assert len(answers) == 400
    assert list(hosts.values()).count(False) == 10
    before_most = order[: [place for place, kind in enumerate(order) if kind == "well"][150]]
    assert before_most.count("dead") < 100


def test_a_thousand_questions_over_twenty_hosts_make_twenty_requests() -> None:
    asking = Asked(well)
    questions = [question(f"http://h{host}", f"c{number}") for host in range(20) for number in range(50)]
    answers, hosts = Crew(questions, asking, soon()).run()
    assert len(answers) == 1000
    assert {answer.status.name for answer in answers.values()} == {"OK"}
    assert asking.requests == 20
    assert hosts == {f"h{host}": True for host in range(20)}


def test_what_is_not_reached_in_time_is_unknown_and_says_nothing_about_its_host() -> None:
    with Worker() as worker:
        worker.silent()
        questions = [question(f"{worker.url}/{number}", timeout="60s") for number in range(2 * PER_HOST)]
        answers = ask([*questions, Question("connect", problem="rules.yml:3: url is missing")], soon(0.3))
    given = [answers.by_key[one.key] for one in questions]
    assert {(answer.status.name, answer.unreachable, answer.target != "") for answer in given} == {
        ("UNKNOWN", False, True)
    }
    assert all(TIME_UP in answer.message for answer in given[PER_HOST:])
    assert answers.hosts == {}, "they had no time to answer"


def test_who_had_no_time_to_answer_was_not_silent() -> None:
    """The deadline of the sweep cuts a question short: that is no evidence against whom it asks."""

    def answer(timeout: str, end: float) -> tuple[Answer, View]:
        one = question("http://h", timeout=timeout)
        view = View(Asked(silent), one.seconds, end)
        return run("connect", catalog.load("connect"), one.options, view), view

    cut, view = answer("5s", soon(0.1))
    assert (cut.status.name, cut.unreachable, view.failed) == ("UNKNOWN", False, False)
    assert TIME_UP in cut.message
    dead, view = answer("100ms", soon(5))
    assert (dead.status.name, dead.unreachable, view.failed) == ("CRITICAL", True, True)


def test_silence_towards_a_request_with_little_time_left_is_no_answer_to_who_has_more() -> None:
    asking = Asked(lambda request, end: silent(request, end) if end - time.monotonic() < 1 else well(request, end))
    request = Request("http://h/", "http://h/")
    with pytest.raises(Unreachable):
        asking.fetch(request, 5.0, soon(0.05))
    assert asking.fetch(request, 5.0, soon(5.0)).status == 200
    assert asking.requests == 2


def test_silence_over_a_whole_timeout_is_learnt_once() -> None:
    asking = Asked(silent)
    request = Request("http://h/", "http://h/")
    for _ in range(3):
        with pytest.raises(Unreachable):
            asking.fetch(request, 0.1, soon(0.1))
    assert asking.requests == 1


def test_a_refusal_is_learnt_once_however_much_time_there_was() -> None:
    def refuse(request: Request, end: float) -> Reply:
        raise Unreachable(f"{request}: connection refused")

    asking = Asked(refuse)
    for seconds in (1.0, 20.0):
        with pytest.raises(Unreachable):
            asking.fetch(Request("http://h/", "http://h/"), 20.0, soon(seconds))
    assert asking.requests == 1


def test_an_error_that_many_share_does_not_grow() -> None:
    asking = Asked(silent)
    for _ in range(100):
        with pytest.raises(Unreachable) as caught:
            asking.fetch(Request("http://h/", "http://h/"), 0.01, soon(0.01))
    assert len(caught.traceback) < 5


def test_a_request_still_under_way_at_the_end_of_another_question_is_not_known() -> None:
    landing = threading.Event()

    def fetch(request: Request, end: float) -> Reply:
        landing.wait(PATIENCE)
        return well(request, end)

    asking, request = Asked(fetch), Request("http://h/", "http://h/")
    threading.Thread(target=asking.fetch, args=(request, 1.0, soon()), daemon=True).start()
    while not asking.requests:
        time.sleep(0.001)
    with pytest.raises(ProbeError, match="no answer yet"):
        asking.fetch(request, 1.0, soon(0.01))
    landing.set()


def test_a_fault_of_ours_is_unknown_to_all_who_needed_the_request() -> None:
    def stumble(request: Request, end: float) -> Reply:
        raise KeyError("a secret")

    answers, _ = asked([question("http://h", f"c{number}") for number in range(5)], stumble)
    assert {answer.status.name for answer in answers} == {"UNKNOWN"}
    assert {answer.message for answer in answers} == {answers[0].message}
    assert answers[0].message.startswith("a fault inside stetho: KeyError at ")
    assert "secret" not in answers[0].message


def test_no_question_starts_no_thread() -> None:
    before = set(threading.enumerate())
    assert ask([], soon()).by_key == {}
    assert set(threading.enumerate()) <= before


LEAVE = """
import time
from probes.kit import catalog
from rules.asking import ask
from rules.questions import Question
import sys
options = catalog.load("connect").Options.build({"url": sys.argv[1], "timeout": "5m"})
question = Question("connect", options)
print(ask([question], time.monotonic() + 0.2).by_key[question.key].status.name, flush=True)
"""


def test_threads_left_behind_do_not_hold_up_the_end_of_the_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # connects, and never reads
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        done = subprocess.run(
            [sys.executable, "-c", LEAVE, url], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
        )
    assert (done.stdout, done.stderr) == ("UNKNOWN\n", "")
