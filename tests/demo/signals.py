"""Ctrl-C and SIGTERM, heeded only where all that was begun can be ended."""

import signal
from types import FrameType
from typing import Self


class Stopped(BaseException):
    """Somebody has had enough."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


class Signals:
    """Raises Stopped on a signal once released; a signal that comes while held is raised then.

    A child that is being started, or a folder that is being removed, would else be left behind.
    """

    HEEDED = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self._held = True
        self._came = 0

    def hold(self) -> None:
        self._held = True

    def release(self) -> None:
        self._held = False
        if self._came:
            self._stop()

    def _heed(self, number: int, frame: FrameType | None) -> None:
        self._came = number
        if not self._held:
            self._stop()

    def _stop(self) -> None:
        self._held = True  # what follows is the end
        raise Stopped(self._came)

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._heed) for number in self.HEEDED}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
