"""Asking a REST interface: the options every HTTP probe has, and a JSON answer or the error that says why not."""

from probes.kit.net import Request, Trust
from probes.kit.options import OptionError, ProbeOptions, Secret, Url, option
from probes.kit.result import ProbeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from probes.kit.net import Net, Reply

    T = TypeVar("T")

EXCERPT = 80  # characters of an answer that an error shows


class HttpOptions(ProbeOptions):
    """How to be let in. Secrets come from files or the environment, never from argv."""

    username: str | None = option(default=None, help="User for basic authentication.")
    password: Secret | None = option(default=None, help="File holding the password.")
    token: Secret | None = option(default=None, help="File holding a bearer token.")
    ca_file: str | None = option(default=None, help="Trust the CA certificates in this PEM file.")
    cert_file: str | None = option(default=None, help="Show the client certificate in this PEM file.")
    key_file: str | None = option(default=None, help="Its key, where it is not in the same PEM file.")

    def check(self) -> None:
        super().check()
        if self.token is not None and self.username is not None:
            raise OptionError("token", "cannot be combined with username: give one login")
        if self.password is not None and self.username is None:
            raise OptionError("username", "is missing: a password needs a user")
        if self.key_file is not None and self.cert_file is None:
            raise OptionError("cert_file", "is missing: a key needs its certificate")

    def get(self, url: Url, accept: str = "application/json") -> Request:
        """A GET for JSON, with this login."""
        return Request(url, url.shown, (("accept", accept), *self._login()), trust=self.trust)

    def post(self, url: Url, body: bytes) -> Request:
        """A POST of JSON, with this login."""
        headers = (("accept", "application/json"), ("content-type", "application/json"), *self._login())
        return Request(url, url.shown, headers, method="POST", body=body, trust=self.trust)

    @property
    def trust(self) -> Trust:
        return Trust(self.ca_file, self.cert_file, self.key_file)

    def _login(self) -> tuple[tuple[str, str], ...]:
        if self.token is not None:
            return (("authorization", f"Bearer {self.token}"),)
        if self.username is None:
            return ()
        import binascii

        pair = f"{self.username}:{self.password or ''}".encode()
        return (("authorization", f"Basic {binascii.b2a_base64(pair, newline=False).decode()}"),)


def came_back(reply: "Reply") -> str:
    """What an error says of an answer: its status and the beginning of its text, on one line."""
    text = " ".join(reply.text[: 4 * EXCERPT].split())
    return f"HTTP {reply.status}" + (f" {text[:EXCERPT]!r}" if text else " without a body")


def refusal(request: Request, reply: "Reply") -> ProbeError:
    """The error for an answer that is of no use to the probe."""
    hint = {401: "; give --username and --password-file, or --token-file", 403: "; this login may not ask"}
    return ProbeError(f"{request}: {came_back(reply)}{hint.get(reply.status, '')}")


def json_of(request: Request, reply: "Reply") -> "Any":
    """The JSON value that came back; ProbeError when it is none (HTML of a proxy, an empty body)."""
    from probes.kit.jsontext import loads

    try:
        return loads(reply.text)
    except ValueError:
        raise ProbeError(f"{request}: {came_back(reply)} is not JSON") from None


def ask(net: "Net", request: Request) -> "Any":
    """The JSON value of a 200; ProbeError for any other answer."""
    reply = net.request(request)
    if reply.status != 200:
        raise refusal(request, reply)
    return json_of(request, reply)


def shape_error(request: Request, wanted: str, got: object) -> ProbeError:
    """The error for JSON of another shape than the interface documents."""
    from probes.kit.jsontext import dumps

    return ProbeError(f"{request}: expected {wanted}, got {dumps(got)[:EXCERPT]}")


def expect(kind: "type[T]", value: object, wanted: str, request: Request) -> "T":
    """`value`, when it is of the kind that the interface documents; shape_error when it is not."""
    if isinstance(value, kind) and not isinstance(value, bool):
        return value
    raise shape_error(request, wanted, value)


def objects(value: object, wanted: str, request: Request) -> "list[dict[str, Any]]":
    """`value`, when it is a list of objects; shape_error when it is not."""
    return [
        expect(dict, element, f"{wanted}, each an object", request) for element in expect(list, value, wanted, request)
    ]


def number_or_none(value: object, wanted: str, request: Request) -> "float | None":
    """`value`, when it is a number of at most 64 bits or null; shape_error when it is not, nor for NaN."""
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2**64:
        return value
    raise shape_error(request, wanted, value)


def since_epoch(text: str) -> "float | None":
    """The time that RFC 3339 text tells, in seconds; None for other text, and for year 1, Go's word for never."""
    try:
        # The C part of datetime, for a tenth of its price.
        from _datetime import datetime  # type: ignore[import-not-found]
    except ImportError:
        from datetime import datetime
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.timestamp() if time.tzinfo and time.year > 1 else None
