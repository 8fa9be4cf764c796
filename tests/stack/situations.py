"""Every state a JVM with Kafka Streams can be in, entered one after another and held while somebody measures.

`for situation in walk(app): ...` goes through all that the application's version has; the order needs one start of
the JVM. Names are those of the states in Kafka Streams, in small letters.
"""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.stack.process import StackError
from tests.stack.versioned_app import VersionedApp, numbers

HANDLERS = (2, 8)  # the first version whose exception handler decides; with it came PENDING_ERROR
GLOBAL_ONLY = (2, 5)  # 2.3.1 does not start this one
LONG = 5.0  # seconds: what is stuck has been so for long enough to show it


def nothing(app: VersionedApp) -> None:
    """The situation before leads to this one, or this one to the next."""


@dataclass(frozen=True)
class Situation:
    """How to enter a situation and how to leave it.

    With `fresh` it starts from a new client that was not started, else from where the situation before it was left.
    """

    name: str
    says: str
    enter: Callable[[VersionedApp], object] = nothing
    leave: Callable[[VersionedApp], object] = nothing
    fresh: bool = False
    since: tuple[int, ...] = ()
    lasts: float = 0.0  # seconds, before it is measured
    answers: bool = True  # whether the application does


def settle(app: VersionedApp) -> None:
    app.release()
    app.calm()


def close_second(app: VersionedApp) -> None:
    second = app.status()[1].client
    app.close(second)
    app.wait_closed(second)
    app.calm()


def lose_all(app: VersionedApp) -> None:
    while app.first().threads:
        app.lose_thread()


def lose_one(app: VersionedApp) -> None:
    app.run()
    app.lose_thread()


def replace_one(app: VersionedApp) -> None:
    app.run()
    app.replace_thread()


def close(app: VersionedApp) -> None:
    app.close()
    app.wait_closed()


def hang_in_error(app: VersionedApp) -> None:
    app.run()
    app.wedge()
    app.shut_down()


def hang_in_close(app: VersionedApp) -> None:
    app.run()
    app.wedge()
    app.close()


def end_error(app: VersionedApp) -> None:
    app.release()
    app.wait_error()


def end_close(app: VersionedApp) -> None:
    app.release()
    app.wait_closed()


def stop(app: VersionedApp) -> None:
    app.run()
    app.process.signal(signal.SIGSTOP)


def resume(app: VersionedApp) -> None:
    app.process.signal(signal.SIGCONT)


def kill(app: VersionedApp) -> None:
    app.process.kill()


SITUATIONS = (
    Situation("no client", "the JVM has no Streams client yet"),
    Situation("created", "a client of two threads, not started", fresh=True),
    Situation("starting", "started, its tasks not ready yet", VersionedApp.start_held, settle, lasts=LONG),
    Situation("running", "both threads have their tasks"),
    Situation("rebalancing", "it ran, and a new task is not ready yet", VersionedApp.rebalance, settle, lasts=LONG),
    Situation(
        "one thread wedged", "one of two is stuck in the middle of a record", VersionedApp.wedge, settle, lasts=LONG
    ),
    Situation("two clients", "a second client of two threads in the JVM, which shares the work", VersionedApp.beside),
    Situation("one of two closed", "the second is closed again, the first does all the work", close_second),
    Situation(
        "one thread replaced", "one died, and REPLACE_THREAD made another", replace_one, fresh=True, since=HANDLERS
    ),
    Situation("one thread dead", "one of two died of an exception, and no handler replaced it", lose_one, fresh=True),
    Situation("all threads dead", "both died so", lose_all),
    Situation("closed after that", "`close()` on what was left", close),
    Situation(
        "pending error",
        "SHUTDOWN_CLIENT while a thread is wedged",
        hang_in_error,
        end_error,
        fresh=True,
        since=HANDLERS,
        lasts=LONG,
    ),
    Situation("error", "SHUTDOWN_CLIENT, and all threads have ended", since=HANDLERS),
    Situation(
        "pending shutdown", "`close()` while a thread is wedged", hang_in_close, end_close, fresh=True, lasts=LONG
    ),
    Situation("closed", "`close()`, and all threads have ended"),
    Situation(
        "global table only",
        "a client that needs no stream thread, and is given none",
        VersionedApp.run_global,
        since=GLOBAL_ONLY,
    ),
    Situation("JVM stopped", "SIGSTOP while it ran", stop, resume, fresh=True, answers=False),
    Situation("JVM killed", "SIGKILL while it ran", kill, answers=False),
)


def situations(version: str) -> list[Situation]:
    """Those that this version of Kafka Streams can be in."""
    return [each for each in SITUATIONS if numbers(version) >= each.since]


def walk(app: VersionedApp) -> Iterator[Situation]:
    """Put a newly started application into one situation after another, and see that it stays there meanwhile."""
    for each in situations(app.version):
        if each.fresh:
            app.fresh()
        each.enter(app)
        time.sleep(each.lasts)
        before = told(app) if each.answers else []
        try:
            yield each
            if each.answers and told(app) != before:
                raise StackError(f"Streams {app.version} left {each.name!r} by itself: {before}, then {told(app)}")
        finally:
            each.leave(app)


def told(app: VersionedApp) -> list[str]:
    """Each client's state and how many of its threads live, in its own words."""
    return [f"{each.state} {each.threads}" for each in app.status()]
