"""Asking a REST interface: the options every HTTP probe has, and a JSON answer or the error that says why not."""

from probes.kit.net import PUBLIC, Request, Trust
from probes.kit.options import OptionError, ProbeOptions, Secret, Url, option
from probes.kit.result import ProbeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeVar

    from probes.kit.net import Net, Reply

    T = TypeVar("T")

EXCERPT = 80  # characters of an answer that an error shows
SECRET = 6  # letters that no text has by chance, as it may have the value of X-Debug: true

# What a request is framed by, and what is between us and the next hop.
_FRAMING = frozenset(
    (
        "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    )
)  # fmt: skip
_SECRET = ("authorization", "cookie", "token", "secret", "password", "credential", "api-key", "apikey", "x-auth")
_OF_NAMES = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~"
)  # RFC 9110, 5.6.2


class HttpOptions(ProbeOptions):
    """How to be let in. Secrets come from files or the environment, never from argv."""

    username: str | None = option(default=None, help="User to log in as.")
    password: Secret | None = option(default=None, help="File holding the password.")
    token: Secret | None = option(default=None, help="File holding a bearer token.")
    header: list[str] = option(
        default=(), help="Send this header too, `Name: value`; commas part those of the environment."
    )
    headers: Secret | None = option(
        default=None, help="File of headers to send too, one a line: those that are secret or hold commas."
    )
    ca_file: str | None = option(default=None, help="Trust the CA certificates in this PEM file.")
    cert_file: str | None = option(default=None, help="Show the client certificate in this PEM file.")
    key_file: str | None = option(default=None, help="Its key, where it is not in the same PEM file.")

    def check(self) -> None:
        super().check()
        if self.token is not None and self.username is not None:
            raise OptionError("token", "cannot be combined with --username: give one login")
        if self.password is not None and self.username is None:
            raise OptionError("username", "is missing: a password needs a user")
        if self.key_file is not None and self.cert_file is None:
            raise OptionError("cert_file", "is missing: a key needs its certificate")
        named = {name.lower() for name, _ in self.own_headers}
        if "authorization" in named and (self.token is not None or self.username is not None):
            raise OptionError(
                "headers", "has an authorization: with --token-file or --username, there are two logins; give one"
            )
        own = "token" if self.token is not None else "username" if self.username is not None else "headers"
        if "@" in self.target and (own != "headers" or "authorization" in named):
            raise OptionError(own, "is a second login, beside the one in the address: give one")

    def get(self, url: Url, accept: str = "application/json") -> Request:
        """A GET for JSON, with this login and these headers."""
        return Request(url, url.shown, self._with_own(("accept", accept)), trust=self.trust)

    def post(self, url: Url, body: bytes) -> Request:
        """A POST of JSON, with this login and these headers."""
        headers = self._with_own(("accept", "application/json"), ("content-type", "application/json"))
        return Request(url, url.shown, headers, method="POST", body=body, trust=self.trust)

    @property
    def own_headers(self) -> tuple[tuple[str, str], ...]:
        """The headers that the user adds. Raises OptionError."""
        return _parsed("header", self.header) + _parsed("headers", (self.headers or "").split("\n"))

    @property
    def trust(self) -> Trust:
        return Trust(self.ca_file, self.cert_file, self.key_file)

    def _with_own(self, *ours: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        """Our headers, and the user's, which take the place of ours."""
        own = self.own_headers
        taken = {name.lower() for name, _ in own}
        return (*((name, value) for name, value in (*ours, *self._login()) if name not in taken), *own)

    def _login(self) -> tuple[tuple[str, str], ...]:
        if self.token is not None:
            if not self.token or " " in self.token or not (self.token.isascii() and self.token.isprintable()):
                # As a wrong one would be: no mistake in the call, and to a kubelet no evidence.
                raise ProbeError("--token-file holds no token: that is plain ASCII text on one line, without spaces")
            return (("authorization", f"Bearer {self.token}"),)
        if self.username is None:
            return ()
        if ":" in self.username:  # the server would take what follows for the password's beginning
            raise ProbeError("--username has a colon in it; a login over HTTP cannot")
        import binascii

        pair = f"{self.username}:{self.password or ''}".encode()
        return (("authorization", f"Basic {binascii.b2a_base64(pair, newline=False).decode()}"),)


def _parsed(option: str, lines: "Sequence[str]") -> tuple[tuple[str, str], ...]:
    """The headers of an option, name and value; OptionError, which shows no value, for a line that is none."""
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        value = value.strip(" \t\r")
        where, known = f"number {number}" if option == "header" else f"line {number}", name.lower()
        if not colon or not name or not _OF_NAMES.issuperset(name):
            hint = "; one with a comma goes into --headers-file" if option == "header" else ""
            raise OptionError(option, f"{where} is not a header; write it like X-Scope-OrgID: team-a{hint}")
        if not value.isascii() or not value.isprintable():
            raise OptionError(option, f"{where}: the value of {name} is not plain ASCII text")
        if known in _FRAMING:
            raise OptionError(option, f"{where}: {name} cannot be given; it is part of how stetho asks")
        if option == "header" and any(word in known for word in _SECRET):
            raise OptionError(option, f"{where}: {name} belongs in a file: --token-file, or --headers-file")
        found.append((name, value))
    return tuple(found)


def quote(text: str) -> str:
    """`text` as one segment of a URL's path or one value of its query (RFC 3986)."""
    return "".join(
        chr(byte) if (byte < 128 and chr(byte).isalnum()) or byte in b"-._~" else f"%{byte:02X}"
        for byte in text.encode("utf-8", "surrogatepass")
    )


def came_back(request: Request, reply: "Reply") -> str:
    """What an error says of an answer: who else gave it, its status, the beginning of its text, on one line."""
    begun = reply.body[: 16 * EXCERPT].decode("utf-8", "replace")  # of four bytes a letter, if it must be
    text = " ".join(unsaid(request, begun)[: 4 * EXCERPT].split())
    way = f"{reply.way}: " if reply.way else ""
    return f"{way}HTTP {reply.status}" + (f" {text[:EXCERPT]!r}" if text else " without a body")


def unsaid(request: Request, text: str) -> str:
    """`text` of an answer without the login, headers and query of its question, which some servers repeat."""
    values = [value for name, value in request.headers if name.lower() not in PUBLIC]
    asked = [part for part in request.url.partition("?")[2].split("&") if "=" in part]
    for secret in (*values, *(value.rpartition(" ")[2] for value in values), *asked):
        if len(secret) >= SECRET:
            text = text.replace(secret, "…")
    return text


def refusal(request: Request, reply: "Reply") -> ProbeError:
    """The error for an answer that is of no use to the probe."""
    hint = ""
    if any(name.lower() == "authorization" for name, _ in request.headers) or "@" in request.url:
        hint = {401: "; it does not take this login", 403: "; this login may not ask"}.get(reply.status, "")
    elif reply.status == 401:
        hint = "; give --username and --password-file, or --token-file"
    return ProbeError(f"{request}: {came_back(request, reply)}{hint}")


def json_of(request: Request, reply: "Reply") -> "Any":
    """The JSON value that came back; ProbeError when it is none (HTML of a proxy, an empty body)."""
    from probes.kit.jsontext import loads

    why = ""
    try:
        if not reply.body.startswith(b"<"):  # megabytes of HTML need not become text, which takes as much again
            return loads(reply.text)
    except ValueError as error:
        if reply.body.startswith((b"{", b"[")):  # the part that is shown may well look like JSON
            why = f": {str(error).partition(';')[0]}"
    raise ProbeError(f"{request}: {came_back(request, reply)} is not JSON{why}")


def ask(net: "Net", request: Request) -> "Any":
    """The JSON value of a 200; ProbeError for any other answer."""
    reply = net.request(request)
    if reply.status != 200:
        raise refusal(request, reply)
    return json_of(request, reply)


def shape_error(request: Request, wanted: str, got: object) -> ProbeError:
    """The error for JSON of another shape than the interface documents."""
    from probes.kit.jsontext import dumps

    return ProbeError(f"{request}: expected {wanted}, got {unsaid(request, dumps(got, 4 * EXCERPT))[:EXCERPT]}")


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
