"""The systems that the demo asks: local servers that give the answers recorded on the real ones."""

from typing import Self

from tests.cassettes.replay import Replay

# By the everyday address of each system, as the rule file has it: the cassettes it plays while well and while ill.
CASSETTES = {
    "connect:8083": ("connect-healthy", "connect-failed-task"),
    "orders-app:9404": ("exporter-healthy", "exporter-dead"),
    "burrow:8000": ("burrow-healthy", "burrow-healthy"),
    "prometheus:9090": ("prometheus-healthy", "prometheus-healthy"),
}


class Servers:
    """A Connect worker, a Streams application's exporter, Burrow and Prometheus, all on loopback."""

    def __init__(self) -> None:
        self._replays: dict[str, Replay] = {}

    @property
    def addresses(self) -> dict[str, str]:
        """Where each system is really, by its everyday address."""
        return {name: f"127.0.0.1:{replay.port}" for name, replay in self._replays.items()}

    def url(self, name: str) -> str:
        return f"http://{self.addresses[name]}"

    def fall_ill(self) -> None:
        """A Connect task has failed, and the Streams client has died inside its JVM."""
        self._play(ill=True)

    def get_well(self) -> None:
        self._play(ill=False)

    def lose(self, name: str) -> None:
        """Nothing listens there any more."""
        self._replays[name].stop()

    def bring_back(self, name: str) -> None:
        """At the same address, in the same state as all others after `get_well`."""
        self._replays[name] = Replay(CASSETTES[name][0], self._replays[name].port).start()

    def _play(self, *, ill: bool) -> None:
        for name, replay in self._replays.items():
            replay.play(CASSETTES[name][ill])

    def __enter__(self) -> Self:
        for name, (healthy, _) in CASSETTES.items():
            self._replays[name] = Replay(healthy).start()
        return self

    def __exit__(self, *_: object) -> None:
        for replay in self._replays.values():
            replay.stop()
