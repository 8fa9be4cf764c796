"""`python -m tests.stack` (`make stack`): the real platform on loopback, until Ctrl-C or SIGTERM."""

import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.stack.platform import Platform, servers
from tests.stack.process import StackError

SHOWN = """\
{servers}: up in {seconds:.0f} s, logs in {work}

  broker      {p.broker.bootstrap}
  Connect     {p.connect.url}
  Streams     {p.streams.exporter_url} (jmx_exporter)
              {p.streams.jolokia_url}
              {p.streams.jmx} (remote JMX)
  Burrow      {p.burrow.url}
  Prometheus  {p.prometheus.url}
  mail        {mail}
  web         {web}

Try:
  stetho probe connect --url {p.connect.url}
  stetho probe burrow --url {p.burrow.url}
  stetho probe targets --url {p.prometheus.url}
  stetho probe streams --exporter {p.streams.exporter_url}
  stetho probe streams --jolokia {p.streams.jolokia_url} --as liveness

Break something, and ask again:
  curl -X PUT {p.connect.url}/connectors/orders-sink/pause       # mend: /resume
  touch {faults}/orders-sink-2   # mend: rm, then POST to
                                   {p.connect.url}/connectors/orders-sink/tasks/2/restart
  curl -X POST {control}/lose-thread           # or rebalance, settle, die, close, start
  kill -STOP {p.streams.process.pid}                                        # the Streams JVM; mend: kill -CONT

Ctrl-C stops all of it.
"""


def show(platform: Platform, work: Path, seconds: float) -> None:
    print(
        SHOWN.format(
            p=platform,
            work=work,
            seconds=seconds,
            servers=", ".join(servers()),
            mail=platform.smtp.url(),
            web=platform.capture.url("/"),
            faults=platform.connect.faults,
            control=platform.streams.control_url,
        ),
        flush=True,
    )


def main() -> int:
    ended = threading.Event()
    begun = time.monotonic()
    # Until all is up, Ctrl-C and SIGTERM end the start, and what runs already is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="stetho-stack-") as folder:
            print("starting the platform; the first time it fetches and builds for some minutes …", flush=True)
            with Platform(Path(folder)) as platform:
                show(platform, Path(folder), time.monotonic() - begun)
                ended.wait()
    except KeyboardInterrupt:
        print("stopped", flush=True)
    except StackError as error:
        print(f"cannot start the platform: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
