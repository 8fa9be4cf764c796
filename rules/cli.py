"""The whole command line: the probes' commands, and those of the rule runner."""

import contextlib
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from probes.kit.cli import HELP, list_probes, probe_app, run_app
from probes.kit.cold import unread
from probes.kit.jsontext import dumps
from probes.kit.run import USAGE, tell
from probes.kit.types import Duration
from probes.kit.version import __version__
from rules.listing import document, lines
from rules.load import Loaded, RuleErrors, load
from rules.schema import schema
from rules.store import Store, StoreError
from rules.sweep import Refused, Settings, Summary, sweep

DEFAULT_STATE = "./stetho.db"
SHORTEST_DEADLINE = 10.0  # seconds; a third of less would not be enough to send anything
STOPPED = 128 + signal.SIGTERM
NO_FILES = "no rule files found; in a folder they end in .yml or .yaml"

Files = Annotated[list[Path], typer.Argument(help="Rule files, or folders of them.", metavar="FILE|FOLDER")]
State = Annotated[
    str, typer.Option(envvar="STETHO_STATE", metavar="FILE", help="The SQLite file that alerts are remembered in.")
]
Name = Annotated[
    str, typer.Option(envvar="STETHO_NAME", metavar="NAME", help="Whose alerts: sweeps of one name follow each other.")
]
Output = Annotated[
    Literal["text", "json"] | None,
    typer.Option(envvar="STETHO_OUTPUT", metavar="text|json", help="Text on a terminal, else one line of JSON."),
]


def main(argv: Sequence[str]) -> int:
    """The exit code of the full command line."""
    # As the first process of a container we would not be stopped without. Whatever runs, no moment is a bad one.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(STOPPED))
    return run_app(app(), argv)


def leave(code: int) -> int:
    """`code`, to exit with; does not return where a thread is left that hangs, in a send or a resolver.

    At its end Python stops such a thread in the middle of whatever it does when it wakes up, and glibc may abort the
    process for that ("exception not rethrown").
    """
    if threading.active_count() > 1:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError, OSError, ValueError):  # closed, full, or read by nobody
                stream.flush()
        os._exit(code)
    return code


def app() -> typer.Typer:
    """Every command."""
    whole = typer.Typer(
        no_args_is_help=True, context_settings=HELP, add_completion=False, pretty_exceptions_enable=False
    )
    rules = typer.Typer(no_args_is_help=True, context_settings=HELP, help="Check rule files, and their schema.")

    @whole.callback()
    def stetho(
        version: Annotated[
            bool, typer.Option("--version", is_eager=True, callback=_version, help="Show the version and exit.")
        ] = False,
    ) -> None:
        """Health probes and alert sweeps for Kafka platforms: an exit code and JSON; no daemon, no JVM."""

    whole.add_typer(probe_app(), name="probe")
    whole.command("probes")(list_probes)
    whole.command("sweep")(run_sweep)
    whole.add_typer(rules, name="rules")
    whole.command("alerts")(list_alerts)
    rules.command("check")(check)
    rules.command("schema")(print_schema)
    return whole


def run_sweep(
    files: Files,
    state: State = DEFAULT_STATE,
    name: Name = "default",
    wait_lock: Annotated[
        str, typer.Option(metavar="DURATION", help="Wait so long for another sweep of the name to end.")
    ] = "0s",
    deadline: Annotated[
        str, typer.Option(metavar="DURATION", help="For the whole sweep; its last third is kept for sending.")
    ] = "55s",
    allow_removal: Annotated[
        bool, typer.Option("--allow-removal", help="The rules of many firing alerts are gone, and that is meant.")
    ] = False,
    output: Output = None,
) -> None:
    """Run all rules once: ask, judge, and tell who is owed what.

    Exit code 0 when it did its work, whatever fires; 1 when something owed could not be delivered or the store failed;
    64 for a mistake in the files or in the call.
    """
    seconds = _duration("--deadline", deadline)
    if seconds < SHORTEST_DEADLINE:
        raise typer.BadParameter(f"--deadline must be at least {SHORTEST_DEADLINE:g}s: a third of it is for sending")
    settings = Settings(_state(state), _name(name), _duration("--wait-lock", wait_lock), seconds, allow_removal)
    gc.set_threshold(100_000)  # thousands of rules are all kept; looking for garbage among them costs a third
    loaded = _loaded(files, ask_apprise=False)
    if not loaded.files:
        _warn(NO_FILES)
    if loaded.rules and not any(receiver.destinations for receiver in loaded.receivers.values()):
        _warn("these files have no receiver with a destination: nobody is told of anything")
    try:
        summary = sweep(loaded, settings, os.environ)
    except Refused as error:
        raise _failed(error, USAGE) from None
    except StoreError as error:
        raise _failed(error, 1) from None
    for trouble in summary.troubles:
        _warn(trouble)
    _print(_shown(output, summary.document(), _summary_lines(summary)))  # its work is done, whoever reads of it
    raise typer.Exit(1 if summary.undelivered else 0)


def check(files: Files) -> None:
    """Report every mistake in rule files at once.

    Each as file:line:column, what is wrong, and what would be right. Exit code 0 if there is none, else 64. Nothing is
    asked or sent, and no `${NAME}` need be set.
    """
    loaded = _loaded(files, ask_apprise=True)
    rules, read = len(loaded.rules), len(loaded.files)
    if not read:  # a mistyped folder must not pass a pipeline; a sweep of none is the removal guard's business
        _warn(NO_FILES)
        raise typer.Exit(USAGE)
    raise typer.Exit(_print(f"{_count(rules, 'rule')} in {_count(read, 'file')}: no mistakes"))


def print_schema() -> None:
    """Print the JSON Schema of rule files, for editors.

    With the options of each probe under the `with:` of the rules that ask it.
    """
    raise typer.Exit(_print(dumps(schema())))


def list_alerts(state: State = DEFAULT_STATE, name: Name = "default", output: Output = None) -> None:
    """List what is pending, firing or held, as the last sweep left it. Exit code 0, or 1 if that cannot be read."""
    try:
        with Store.open(_state(state), create=False) as store:
            alerts, sweeps = store.live(_name(name)), store.sweeps(name, 1)
    except StoreError as error:
        raise _failed(error, 1) from None
    swept_at = sweeps[0].started_at if sweeps else None
    text = _shown(output, document(name, alerts, swept_at), lines(name, alerts, swept_at, time.time()))
    raise typer.Exit(_print(text))


def _version(asked: bool) -> None:
    if asked:
        raise typer.Exit(_print(f"stetho {__version__}"))


def _loaded(files: Sequence[Path], ask_apprise: bool) -> Loaded:
    try:
        return load(files, os.environ, ask_apprise)
    except RuleErrors as errors:
        tell(f"{errors}\n{_count(len(errors.mistakes), 'mistake')}")
        raise typer.Exit(USAGE) from None


def _duration(flag: str, text: str) -> float:
    try:
        return Duration.parse(text)
    except ValueError as error:
        raise typer.BadParameter(f"{flag}: {error}") from None


def _name(name: str) -> str:
    if not name or not name.isprintable():
        raise typer.BadParameter("--name must be printable text")
    return name


def _state(state: str) -> Path:
    if "://" in state:
        scheme = state.partition("://")[0]
        raise typer.BadParameter(
            f"--state {scheme}://… is not supported by this version: give the path of a SQLite file"
        )
    return Path(state)


def _shown(output: str | None, value: dict[str, Any], text: Sequence[str]) -> str:
    terminal = sys.stdout is not None and sys.stdout.isatty()
    return "\n".join(text) if (output or ("text" if terminal else "json")) == "text" else dumps(value)


def _print(text: str) -> int:
    """Write to standard output; 1 when it cannot take it. A pipe whose reader has seen enough is no failure."""
    try:
        # A lone surrogate, which JSON may hold, has no UTF-8; as an escape it is still JSON.
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
        sys.stdout.flush()
    except BrokenPipeError:
        unread()
    except OSError as error:
        _warn(f"cannot write to standard output: {error.strerror}")
        unread()
        return 1
    except AttributeError:  # sys.stdout is None
        _warn("cannot write to standard output: it is closed")
        return 1
    return 0


def _failed(error: Exception, code: int) -> typer.Exit:
    _warn(str(error))
    return typer.Exit(code)


def _warn(text: str) -> None:
    tell(f"stetho: {text}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _summary_lines(summary: Summary) -> list[str]:
    if summary.skipped:
        return [f"sweep {summary.name}: skipped, for another sweep of that name is running"]
    return [
        f"sweep {summary.name}: {_count(summary.rules, 'rule')}, {_count(summary.questions, 'question')}, "
        f"{summary.unknown} unknown",
        f"  alerts:   {summary.firing} firing, {summary.pending} pending, {summary.resolved} ended now",
        f"  messages: {summary.sent} sent, {summary.failed} failed, {summary.owed} owed still",
        *([f"  missed before this one: {_count(summary.missed, 'sweep')}"] if summary.missed else []),
    ]
