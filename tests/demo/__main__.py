"""`make demo`: the main job from beginning to end, on this machine, with nothing else installed."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.demo.screen import Screen
from tests.demo.servers import Servers
from tests.demo.signals import Signals, Stopped
from tests.demo.stage import Stage, Unexpected
from tests.demo.story import stay, tell
from tests.stack.smtp import Smtp


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.demo", description=__doc__)
    arguments.add_argument("--stay", action="store_true", help="keep the servers at the end, to type commands yourself")
    wanted = arguments.parse_args()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal without UTF-8 shows ? for what it lacks
    screen = Screen()
    try:
        with Signals() as signals:
            play(screen, signals, wanted.stay)
    except Unexpected as error:
        screen.wrong(f"The demo failed: {error}")
        return 1
    except Stopped as stopped:
        screen.say("Stopped, and cleaned up.")
        return stopped.code
    screen.well("The demo is over: all was as it should be, and nothing is left behind.")
    return 0


def play(screen: Screen, signals: Signals, staying: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="stetho-demo-") as folder, Servers() as servers, Smtp() as smtp:
        stage = Stage(screen, Path(folder), servers, smtp, signals)
        try:
            signals.release()
            tell(stage)
            if staying:
                stay(stage)
        finally:
            signals.hold()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # `make demo | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
