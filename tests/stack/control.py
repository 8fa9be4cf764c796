"""Commands to our own Java programs: each takes POST /COMMAND on a port of its own and answers with its status."""

import http.client

from tests.stack.process import StackError


def command(port: int, name: str, seconds: float = 30) -> str:
    """What the program said. StackError: it refused. OSError: it does not answer."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        client.request("POST", f"/{name}")
        reply = client.getresponse()
        text = reply.read().decode()
    except http.client.HTTPException as error:
        raise ConnectionError(f"POST /{name} to port {port}: {error!r}") from error
    finally:
        client.close()
    if reply.status != 200:
        raise StackError(f"the program on port {port} refused {name}: {text}")
    return text
