"""A Net that answers from a table and remembers what it was asked. Nothing in it touches the network."""

import json
from collections.abc import Mapping

from probes.kit.net import Found, JmxRequest, Reply, Request

NOW = 1795217600.0  # 2026-11-20T23:33:20Z, some seconds after the answers recorded in facts/live-servers.md

Answer = object  # a Reply; an exception to raise; (status, body); a body: text as it is, anything else as JSON


class FakeNet:
    """`answers` are by "METHOD /path?query"; what is not in there is a failure of the test."""

    def __init__(self, answers: Mapping[str, Answer], now: float = NOW) -> None:
        self.answers, self.time = answers, now
        self.asked: list[str] = []
        self.requests: list[Request] = []

    def request(self, request: Request) -> Reply:
        question = f"{request.method} /{request.url.partition('://')[2].partition('/')[2]}"
        self.asked.append(question)
        self.requests.append(request)
        return reply(self.answers[question])

    def jmx(self, request: JmxRequest) -> list[Found]:
        """By "JMX host:port name"; a Found, or an exception to raise."""
        found = []
        for name, _ in request.reads:
            self.asked.append(f"JMX {request.address.removeprefix('jmx://')} {name}")
            answer = self.answers[self.asked[-1]]
            if isinstance(answer, Exception):
                raise answer
            assert isinstance(answer, Found)
            found.append(answer)
        return found

    def now(self) -> float:
        return self.time

    def hurried(self) -> bool:
        return False


def reply(answer: Answer) -> Reply:
    if isinstance(answer, Exception):
        raise answer
    if isinstance(answer, Reply):
        return answer
    status, body = answer if isinstance(answer, tuple) else (200, answer)
    text = body if isinstance(body, str) else json.dumps(body)
    return Reply(status, {}, text.encode())
