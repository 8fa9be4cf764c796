"""A distributed Kafka Connect worker, and connectors that fail, pause and lose tasks on command.

The connector is `FragileSink` (its source is in `connector/`): it looks for files in the folder `faults`, which is how
a test tells one task of one connector to fail.
"""

import http.client
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from tests.stack.jars import Jvm
from tests.stack.process import StackError, free_port, wait_for

# Sessions of 6 s, the least the broker allows: a killed worker's share is given away (or taken up again) that soon.
# By default a worker waits five more minutes for a lost one to come back.
CONFIG = """\
bootstrap.servers={bootstrap}
group.id=connect
listeners=http://127.0.0.1:{port}
rest.advertised.host.name=127.0.0.1
plugin.discovery=service_load
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
config.storage.topic=connect-configs
config.storage.replication.factor=1
offset.storage.topic=connect-offsets
offset.storage.partitions=1
offset.storage.replication.factor=1
status.storage.topic=connect-status
status.storage.partitions=1
status.storage.replication.factor=1
offset.flush.interval.ms=1000
task.shutdown.graceful.timeout.ms=1000
session.timeout.ms=6000
heartbeat.interval.ms=1000
rebalance.timeout.ms=10000
scheduled.rebalance.max.delay.ms=0
consumer.session.timeout.ms=6000
consumer.heartbeat.interval.ms=1000
"""


Status = dict[str, Any]  # what GET /connectors/NAME/status answers


class Connect:
    """One worker. Two on the same broker share the connectors, as workers of one group do."""

    def __init__(self, bootstrap: str, work: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.faults = work / "faults"
        self.faults.mkdir(parents=True, exist_ok=True)
        config = work / "connect.properties"
        config.write_text(CONFIG.format(bootstrap=bootstrap, port=self.port))
        main = "org.apache.kafka.connect.cli.ConnectDistributed"
        self.process = Jvm("connect", main, [str(config)], work=work, archive="connect")

    def start(self) -> Self:
        """Start, and return once it can list connectors. The broker may come up meanwhile."""
        self.process.start(self.ready)
        return self

    def ready(self) -> bool:
        # The list is answered early, from what the worker has read so far; a single connector only by its herder.
        return self._ask("GET", "/connectors")[0] == 200 and self._ask("GET", "/connectors/none")[0] == 404

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        self.process.kill()

    def fragile_sink(self, tasks: int = 3, topics: str = "orders") -> dict[str, str]:
        """The configuration of a sink whose tasks can be made to fail; with no tasks at all it is RUNNING too."""
        return {
            "connector.class": "stack.FragileSink",
            "topics": topics,
            "tasks.max": "8",
            "tasks": str(tasks),
            "faults": str(self.faults),
        }

    def create(self, name: str, config: Mapping[str, str] | None = None) -> None:
        """Create the connector, by default a fragile sink, or change its configuration; wait for its tasks."""
        wanted = dict(config if config is not None else self.fragile_sink())
        self._must("PUT", f"/connectors/{name}/config", wanted)
        tasks = int(wanted.get("tasks", wanted.get("tasks.max", "1")))
        self._await(name, lambda status: _states(status) == ["RUNNING"] * (1 + tasks))

    def delete(self, name: str) -> None:
        self._must("DELETE", f"/connectors/{name}")
        wait_for(f"{name} to be gone", lambda: self._ask("GET", f"/connectors/{name}/status")[0] == 404, 60)

    def pause(self, name: str) -> None:
        """Connector and tasks become PAUSED."""
        self._must("PUT", f"/connectors/{name}/pause")
        self._await(name, lambda status: set(_states(status)) == {"PAUSED"})

    def resume(self, name: str) -> None:
        """From PAUSED or STOPPED."""
        self._must("PUT", f"/connectors/{name}/resume")
        self._await(name, lambda status: set(_states(status)) == {"RUNNING"} and bool(status["tasks"]))

    def stop_connector(self, name: str) -> None:
        """The connector becomes STOPPED and has no tasks any more."""
        self._must("PUT", f"/connectors/{name}/stop")
        self._await(name, lambda status: _states(status) == ["STOPPED"])

    def restart(self, name: str, *, include_tasks: bool = False, only_failed: bool = False) -> None:
        """As the REST call: without `include_tasks` no task is touched. It does not wait."""
        flags = f"includeTasks={str(include_tasks).lower()}&onlyFailed={str(only_failed).lower()}"
        self._must("POST", f"/connectors/{name}/restart?{flags}")

    def lose_tasks(self, name: str) -> None:
        """Reconfigure a fragile sink to no tasks: RUNNING, and nothing is done. `create` brings them back."""
        self.create(name, self.fragile_sink(tasks=0))

    def fail_task(self, name: str, task: int) -> None:
        """One task of a fragile sink becomes FAILED, with a real trace; the others go on."""
        self._fault(name, task).touch()
        self._await(name, lambda status: _task(status, task) == "FAILED")

    def mend_task(self, name: str, task: int) -> None:
        """Take the fault away and restart the task: nothing else brings a FAILED task back."""
        self._fault(name, task).unlink(missing_ok=True)
        self._must("POST", f"/connectors/{name}/tasks/{task}/restart")
        self._await(name, lambda status: _task(status, task) == "RUNNING")

    def fail_connector(self, name: str) -> None:
        """The connector itself becomes FAILED; its tasks go on as they were."""
        (self.faults / name).touch()
        self._ask("POST", f"/connectors/{name}/restart")  # 500, "Failed to start connector"
        self._await(name, lambda status: status["connector"]["state"] == "FAILED")

    def mend_connector(self, name: str) -> None:
        (self.faults / name).unlink(missing_ok=True)
        self.restart(name)
        self._await(name, lambda status: status["connector"]["state"] == "RUNNING")

    def status(self, name: str) -> Status:
        """The worker's own answer about one connector."""
        answer: Status = self._must("GET", f"/connectors/{name}/status")
        return answer

    def states(self, name: str) -> list[str]:
        """The connector's state, then each task's; none when there is no such connector."""
        code, status = self._ask("GET", f"/connectors/{name}/status")
        return _states(status) if code == 200 else []

    def _fault(self, name: str, task: int) -> Path:
        return self.faults / f"{name}-{task}"

    def _await(self, name: str, reached: Callable[[Status], bool], seconds: float = 30) -> None:
        """Status topics lag behind commands; a new connector has no status at first (404)."""

        def now() -> bool:
            code, status = self._ask("GET", f"/connectors/{name}/status")
            return code == 200 and reached(status)

        wait_for(f"connector {name} of {self.url}", now, seconds)

    def _must(self, method: str, path: str, body: object = None) -> Any:
        """The JSON answer, or StackError. 409 is a rebalance: ask again."""
        answers: list[tuple[int, Any]] = []

        def answered() -> bool:
            answers.append(self._ask(method, path, body))
            return answers[-1][0] != 409

        wait_for(f"{method} {self.url}{path}", answered, 60)
        code, answer = answers[-1]
        if code >= 400:
            raise StackError(f"{method} {self.url}{path}: HTTP {code} {answer}")
        return answer

    def _ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status code and JSON of one request. OSError: no answer."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            sent = None if body is None else json.dumps(body)
            client.request(method, path, sent, {"Content-Type": "application/json"})
            reply = client.getresponse()
            text = reply.read()
            # While it starts, Jetty answers 404 with a page of HTML.
            is_json = reply.headers.get_content_type() == "application/json"
            return reply.status, json.loads(text) if text and is_json else None
        except http.client.HTTPException as error:
            raise ConnectionError(f"{method} {self.url}{path}: {error!r}") from error
        finally:
            client.close()


def _states(status: Status) -> list[str]:
    """The connector's state, then each task's."""
    return [status["connector"]["state"], *(task["state"] for task in status["tasks"])]


def _task(status: Status, wanted: int) -> str | None:
    return next((task["state"] for task in status["tasks"] if task["id"] == wanted), None)
