"""What the cold client accepts, httpx answers alike: the same reply, or the same error in the same words."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from probes.kit import http
from probes.kit.net import Reply, Request, Trust
from probes.kit.pooled import Pool
from probes.kit.result import ProbeError
from tests.probes.kit.rawserver import RawServer, Talk, Tls, saying

Outcome = tuple[object, ...]

CRLF = b"\r\n"
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 301, 302, 304, 401, 404, 409, 500, 503, 100, 99, 999])
NAMES = st.sampled_from(
    [b"X-One", b"x-one", b"Content-Type", b"Server", b"Location", b"Content-Encoding", b"A_b", b"B!", b"C.d~|'", b"D:"]
)
VALUES = st.sampled_from(
    [
        b"",
        b"a",
        b"a, b",
        b"identity",
        b"gzip",
        b"/x",
        b" padded ",
        b"\ta\tb\t",
        b"a\x01b",
        b"\xe9",
        b"\xc3\xa0",
        b"a\x7f",
    ]
)
BODIES = st.binary(max_size=200)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """An answer that is well-formed, or nearly."""
    version = draw(st.sampled_from([*[b"HTTP/1.1"] * 9, b"HTTP/1.0", b"HTTP/2.0", b"http/1.1"]))
    reason = draw(st.sampled_from([b" OK", b"", b" ", b" Not Found", b" Tr\xc3\xa8s\tbien", b" \xa0", b"\xb2"]))
    lines = [version + b" %d" % draw(STATUSES) + reason]
    headers = draw(st.lists(st.tuples(NAMES, VALUES), max_size=3))
    lines += [name + b":" + draw(st.sampled_from([b" ", b"", b"  "])) + value for name, value in headers]
    body = draw(BODIES)
    framing = draw(st.sampled_from(["length", "wrong length", "chunked", "chunked", "close", "both"]))
    if framing in ("length", "both"):
        lines.append(b"Content-Length: %d" % len(body))
        lines += draw(st.sampled_from([[], [], [b"content-length:%d " % len(body)], [b"Content-Length: 7"]]))
    if framing == "wrong length":
        lines.append(b"Content-Length: %d" % max(len(body) + draw(st.integers(-9, 9)), 0))
    if framing in ("chunked", "both"):
        lines.append(b"Transfer-Encoding: " + draw(st.sampled_from([*[b"chunked"] * 9, b"Chunked", b"gzip"])))
        body = draw(chunks(body))
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" if draw(st.integers(0, 9)) == 0 else b""
    return early + CRLF.join([*lines, b"", b""]) + body


@st.composite
def chunks(draw: st.DrawFn, body: bytes) -> bytes:
    """`body` cut into chunks, perhaps with extensions and trailers."""
    data = b""
    while body:
        size = draw(st.integers(1, len(body)))
        shown = b"%x" % size if draw(st.booleans()) else b"%04X" % size
        data += shown + draw(st.sampled_from([*[b""] * 9, b";a=b", b" ", b" ;a"])) + CRLF + body[:size] + CRLF
        body = body[size:]
    return data + b"0" + CRLF + draw(st.sampled_from([b"", b"", b"Sum: 1\r\n", b"bad trailer\r\n"])) + CRLF


@st.composite
def sent(draw: st.DrawFn) -> list[bytes]:
    """An answer as it goes over the wire: perhaps damaged or cut off, in several pieces."""
    data = draw(answers())
    damage = draw(st.sampled_from(["none", "none", "cut", "byte"]))
    at = draw(st.integers(0, len(data) - 1))
    if damage == "cut":
        data = data[:at]
    if damage == "byte":
        data = data[:at] + draw(st.sampled_from([b"\n", b"\r", b" ", b"\0", b"x", b":", b"9"])) + data[at + 1 :]
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=3)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return Tls(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module", params=["http", "https"])
def server(request: pytest.FixtureRequest, tls: Tls) -> Iterator[RawServer]:
    server = RawServer(saying(), tls=tls.server if request.param == "https" else None)
    yield server
    server.close()


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool()
    yield pool
    pool.close()


def told(reply: Reply) -> Outcome:
    return reply.status, reply.headers, reply.body


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=sent(), ended=st.sampled_from([True, True, False]))
@example(pieces=[b""], ended=True)
@example(pieces=[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}left over"], ended=True)
@example(pieces=[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nx"], ended=True)
def test_what_the_cold_client_accepts_httpx_answers_alike(
    server: RawServer, pool: Pool, tls: Tls, pieces: list[bytes], ended: bool
) -> None:
    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(*pieces)
        talk.finish() if ended else talk.drop()

    server.script = script
    request = Request(server.url, server.url, trust=Trust(tls.ca_file))
    cold: Outcome | None = None
    try:
        cold = told(http.fetch(request, time.monotonic() + 20))
    except http.Declined:
        pass
    except ProbeError as error:
        cold = type(error), _words(error)
    try:
        full = told(pool.fetch(request, time.monotonic() + 20))
    except ProbeError as error:
        full = type(error), _words(error)
    finally:
        pool.close()  # a kept connection could still be sent what this answer left over
    assert cold in (None, full)


def _words(error: ProbeError) -> str:
    # How much of an answer that is not HTTP had arrived when it was judged is chance.
    return str(error).partition(" is not HTTP: ")[0]
