"""Bounding work that knows no deadline of its own (a resolver). Part of the cold path."""

import _thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")


def within(seconds: float, work: "Callable[[], T]") -> "T":
    """What `work()` gives or raises; TimeoutError when it takes longer than `seconds`.

    It runs in a thread, which is left behind then and dies with the process. RuntimeError when none can be started.
    """
    values: list[T] = []
    errors: list[BaseException] = []
    done = _thread.allocate_lock()
    done.acquire()

    def run() -> None:
        try:
            values.append(work())
        except BaseException as error:  # noqa: BLE001 - handed to the caller, whatever it is
            errors.append(error)
        finally:
            done.release()

    _thread.start_new_thread(run, ())
    if not done.acquire(timeout=max(seconds, 0)):
        raise TimeoutError
    if errors:
        raise errors[0]
    return values[0]
