"""How probes are let in over HTTP: logins, headers of the user's own, and what must not be seen of them."""

import os
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.kit import argv, http
from probes.kit.net import Reply, Request
from probes.kit.options import OptionErrors, Url, from_environment, option
from probes.kit.pooled import Pool
from probes.kit.rest import EXCERPT, HttpOptions, json_of, quote, refusal, shape_error
from probes.kit.result import ProbeError
from tests.probes.kit.rawserver import RawServer, Talk, answer


class Options(HttpOptions):
    url: Url = option(help="Its address.")


URL = "http://connect:8083"


def built(**given: "str | list[str]") -> Options:
    return Options.build({"url": URL, **given})


def sent(options: Options) -> dict[str, str]:
    return dict(options.get(options.url).headers)


def wrong(**given: "str | list[str]") -> dict[str, str]:
    with pytest.raises(OptionErrors) as caught:
        built(**given)
    return {error.option: str(error) for error in caught.value.errors}


def test_without_options_a_get_asks_for_json() -> None:
    assert sent(built()) == {"accept": "application/json"}


def test_a_token_is_a_bearer() -> None:
    assert sent(built(token="t0ken"))["authorization"] == "Bearer t0ken"


def test_a_user_and_password_are_basic() -> None:
    assert sent(built(username="user", password="s3cret"))["authorization"] == "Basic dXNlcjpzM2NyZXQ="
    assert sent(built(username="user"))["authorization"] == "Basic dXNlcjo="


def test_a_password_may_have_a_colon_and_a_user_none() -> None:
    assert sent(built(username="user", password="a:b"))["authorization"] == "Basic dXNlcjphOmI="
    with pytest.raises(ProbeError, match="--username has a colon in it; a login over HTTP cannot"):
        sent(built(username="user:a", password="b"))


def test_headers_are_sent_as_they_are_written() -> None:
    options = built(header=["X-Scope-OrgID: team-a", "X-Empty:", "x-twice:a", "x-twice: b: c"])
    assert options.get(options.url).headers == (
        ("accept", "application/json"),
        ("X-Scope-OrgID", "team-a"),
        ("X-Empty", ""),
        ("x-twice", "a"),
        ("x-twice", "b: c"),
    )


def test_headers_of_a_file_come_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "headers"
    path.write_text("Authorization: Bearer t0ken\r\n\nX-Groups: a, b\n")
    options = built(headers_file=str(path))
    assert sent(options) == {
        "accept": "application/json",
        "Authorization": "Bearer t0ken",
        "X-Groups": "a, b",
    }


def test_headers_take_the_place_of_ours() -> None:
    options = built(header=["Accept: text/plain", "User-Agent: us", "Content-Type: application/x"])
    assert sent(options) == {"Accept": "text/plain", "User-Agent": "us", "Content-Type": "application/x"}
    assert options.post(options.url, b"{}").headers == options.get(options.url).headers


def test_headers_are_part_of_what_is_asked() -> None:
    one, other = built(header=["X-Scope-OrgID: a"]), built(header=["X-Scope-OrgID: b"])
    assert one.get(one.url).key != other.get(other.url).key
    assert one.key != other.key


SECRET = "belongs in a file: --token-file, or --headers-file"


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "AUTHORIZATION",
        "Cookie",
        "X-Api-Key",
        "X-Vault-Token",
        "X-Auth-User",
        "PRIVATE-TOKEN",
        "apikey",
    ],
)
def test_a_secret_header_is_no_plain_option(name: str) -> None:
    assert wrong(header=["X-A: b", f"{name}: s3cret"]) == {"header": f"number 2: {name} {SECRET}"}
    assert sent(built(headers=f"{name}: s3cret"))[name] == "s3cret"


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Transfer-Encoding", "Connection", "TE", "Upgrade", "Expect", "Accept-Encoding"]
)
def test_what_frames_a_request_cannot_be_given(name: str) -> None:
    text = f"{name} cannot be given; it is part of how stetho asks"
    assert wrong(header=[f"{name}: x"]) == {"header": f"number 1: {text}"}
    assert wrong(headers=f"\n{name}: x") == {"headers": f"line 2: {text}"}


@pytest.mark.parametrize(
    "text", ["s3cret", ": s3cret", "Bearer s3cret: x", "X Y: s3cret", "caf\u00e9: s3cret", "(s3cret)"]
)
def test_what_is_no_header_is_refused_and_not_shown(text: str) -> None:
    right = "is not a header; write it like X-Scope-OrgID: team-a"
    assert wrong(header=[text]) == {"header": f"number 1 {right}; one with a comma goes into --headers-file"}
    assert wrong(headers=f"X-A: b\n{text}\n") == {"headers": f"line 2 {right}"}


@pytest.mark.parametrize("value", ["s3cret\u00e9", "s3\0cret", "s3\rcret", "s3\x1bcret", "s3\tcret"])
def test_a_value_that_is_not_plain_text_is_refused_and_not_shown(value: str) -> None:
    text = "line 1: the value of X-A is not plain ASCII text"
    assert wrong(headers=f"X-A: {value}") == {"headers": text}


def test_no_header_smuggles_another_in() -> None:
    assert wrong(header=["X-A: b\r\nHost: c"]) == {"header": "number 1: the value of X-A is not plain ASCII text"}


def test_two_logins_are_refused() -> None:
    text = "has an authorization: with --token-file or --username, there are two logins; give one"
    assert wrong(headers="authorization: Bearer a", token="b") == {"headers": text}
    assert wrong(headers="Authorization: Bearer a", username="b") == {"headers": text}


@pytest.mark.parametrize("option", ["token", "username", "headers"])
def test_a_login_beside_that_of_the_address_is_refused(option: str) -> None:
    value = "Authorization: Bearer a" if option == "headers" else "a"
    text = "is a second login, beside the one in the address: give one"
    assert wrong(url="http://u:p@prom:9090", **{option: value}) == {option: text}
    assert built(url="http://u:p@prom:9090", headers="X-Scope-OrgID: team-a")


def test_headers_show_nowhere() -> None:
    options = built(headers="X-Vault-Token: s3cret")
    shown = [repr(options.headers), str(options.get(options.url)), options.url.shown, repr(options.key)]
    assert not any("s3cret" in text for text in shown)


def test_the_environment_gives_headers_parted_by_commas() -> None:
    environment = {"STETHO_PROM_HEADER": "X-A: 1, X-B: 2", "STETHO_PROM_HEADERS": "X-Vault-Token: a,b"}
    given = from_environment(Options.fields, "prom", environment)
    assert sent(Options.build({"url": URL}, given)) == {
        "accept": "application/json",
        "X-A": "1",
        "X-B": "2",
        "X-Vault-Token": "a,b",
    }


def test_the_fast_parser_takes_headers() -> None:
    words = ["--url", URL, "--header", "X-A: 1", "--header", "X-B: 2"]
    assert argv.read(words, Options.fields) == {"url": URL, "header": ["X-A: 1", "X-B: 2"]}


@pytest.mark.parametrize("token", ["", "s3cret ", " s3cret", "Bearer s3cret", "s3cret\n", "s3\0cret", "s3cr\u00e9t"])
def test_what_is_no_token_is_not_sent_and_not_shown(token: str) -> None:
    said = "--token-file holds no token: that is plain ASCII text on one line, without spaces"
    with pytest.raises(ProbeError) as caught:
        built(token=token).get(Url.parse(URL))
    assert str(caught.value) == said


@pytest.fixture
def echo() -> Iterator[RawServer]:
    """A server that answers with the request it heard."""

    def script(talk: Talk) -> None:
        talk.say(answer(talk.hear()))
        talk.finish()

    server = RawServer(script)
    yield server
    server.close()


def test_both_clients_send_them(echo: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    options = built(url=echo.url, header=["X-Scope-OrgID: team-a", "Accept: text/plain", "x-twice: 1", "x-twice: 2"])
    pool = Pool()
    for fetch in (http.fetch, pool.fetch):
        heard = fetch(options.get(options.url), time.monotonic() + 5).text.split("\r\n")
        assert {"X-Scope-OrgID: team-a", "Accept: text/plain", "x-twice: 1", "x-twice: 2"} <= set(heard)
        assert sum(line.lower().startswith("accept:") for line in heard) == 1
    pool.close()


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<html>" + b"x" * 100_000, f"'<html>{'x' * 74}'"),
        (b" \n<html>  login", "'<html> login'"),
        (b" " * 200 + "\U0001f600".encode() * 400, repr("\U0001f600" * 80)),
        (b"\xff{}", "'\ufffd{}'"),
    ],
)
def test_an_answer_that_is_not_json_is_shown_in_part(body: bytes, shown: str) -> None:
    with pytest.raises(ProbeError) as caught:
        json_of(Request(URL, URL), Reply(200, {}, body))
    assert str(caught.value) == f"GET {URL}: HTTP 200 {shown} is not JSON"


@pytest.mark.parametrize(
    ("login", "status", "hint"),
    [
        ({}, 401, "; give --username and --password-file, or --token-file"),
        ({"token": "t0ken"}, 401, "; it does not take this login"),
        ({"headers": "Authorization: Custom x"}, 401, "; it does not take this login"),
        ({"url": "http://u:p@prom:9090"}, 401, "; it does not take this login"),
        ({}, 403, ""),
        ({"token": "t0ken"}, 403, "; this login may not ask"),
        ({"token": "t0ken"}, 500, ""),
    ],
)
def test_a_refusal_tells_what_to_do_about_the_login(login: dict[str, str], status: int, hint: str) -> None:
    options = built(**login)
    said = str(refusal(options.get(options.url), Reply(status, {}, b"no")))
    assert said == f"{options.get(options.url)}: HTTP {status} 'no'{hint}"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"a": [1, 2' + b" " * 99, "Expecting ',' delimiter: line 1 column 12 (char 11)"),
        (b'{"a": "' + b"x" * 99, "Unterminated string starting at: line 1 column 7 (char 6)"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[1] [2]", "text after the JSON value, at 3"),
        (b'{"a": ', "no value, at 5"),
    ],
)
def test_of_what_begins_like_json_it_is_told_where_it_ceases_to_be(body: bytes, why: str) -> None:
    with pytest.raises(ProbeError) as caught:
        json_of(Request(URL, URL), Reply(200, {}, body))
    assert str(caught.value).endswith(f" is not JSON: {why}")


def test_an_error_names_the_redirect_or_proxy_that_led_to_the_answer() -> None:
    reply = Reply(200, {}, b"<html>Sign in", "redirected to https://sso/login")
    with pytest.raises(ProbeError) as caught:
        json_of(Request(URL, URL), reply)
    assert str(caught.value) == f"GET {URL}: redirected to https://sso/login: HTTP 200 '<html>Sign in' is not JSON"


@pytest.mark.parametrize("echo", ["bad Bearer {0}!", "{0}", "'a{0}'", " " * 60 + "{0}", "x" * 60 + "{0}"])
def test_an_answer_that_repeats_a_secret_of_its_question_is_shown_without(echo: str) -> None:
    secret = "s3cret-" * 20
    body = echo.format(secret).encode()
    by_token, by_header = built(token=secret), built(headers=f"X-Own: {secret}", url=f"{URL}?key={secret}")
    for options in (by_token, by_header):
        request = options.get(options.url)
        told = [refusal(request, Reply(401, {}, body)), shape_error(request, "a list", {"error": body.decode()})]
        with pytest.raises(ProbeError) as caught:
            json_of(request, Reply(200, {}, body))
        for error in (*told, caught.value):
            assert "s3c" not in str(error)
            assert "…" in str(error)


def test_an_answer_that_repeats_the_query_of_its_question_is_shown_without() -> None:
    request = Request(f"{URL}/x?expand=status&key=s3cret", f"{URL}/x")
    said = str(refusal(request, Reply(404, {}, b"no /x?expand=status&amp;key=s3cret")))
    assert said == f"GET {URL}/x: HTTP 404 'no /x?…&amp;…'"


def test_json_of_another_shape_is_shown_in_part_for_the_price_of_that_part() -> None:
    much = {"a": [1] * 500_000}
    tracemalloc.start()
    said = str(shape_error(Request(URL, URL), "a list", much))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert said == f"GET {URL}: expected a list, got " + '{"a":[' + "1," * 37
    assert (len(said.partition("got ")[2]), peak < 1_000_000) == (EXCERPT, True)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [("orders", "orders"), ("a/b", "a%2Fb"), ("a b?c#d", "a%20b%3Fc%23d"), ("é", "%C3%A9"), ("%", "%25"), ("", "")],
)
def test_a_name_is_quoted_as_one_segment(text: str, quoted: str) -> None:
    assert quote(text) == quoted


@given(st.text())
def test_a_quoted_name_unquotes_to_itself(text: str) -> None:
    from urllib.parse import unquote

    assert unquote(quote(text)) == text
