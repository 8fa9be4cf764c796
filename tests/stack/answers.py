"""What a receiver answers next: the test's choice, in turn or by chance."""

import itertools
import random
import threading
from collections.abc import Callable
from typing import TypeVar

A = TypeVar("A")


def in_turn(*answers: A) -> Callable[[], A]:
    """The answers one after the other, then again from the first; safe to ask from many threads."""
    turn, lock = itertools.cycle(answers), threading.Lock()

    def ask() -> A:
        with lock:
            return next(turn)

    return ask


def at_random(seed: int, *answers: A) -> Callable[[], A]:
    """One of the answers by chance, the same row of them for the same seed.

    Turns can fall into step with the sender (three messages a sweep, each third one refused: always the same one);
    chance cannot.
    """
    chance, lock = random.Random(seed), threading.Lock()

    def ask() -> A:
        with lock:
            return chance.choice(answers)

    return ask
