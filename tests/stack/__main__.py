"""`python -m tests.stack` (`make stack`): the real platform on loopback, until Ctrl-C or SIGTERM."""

import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.stack.platform import Platform, prepare, servers
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
  stetho probe streams --jmx {p.streams.jmx} --as liveness
  stetho probe streams --prometheus {p.prometheus.url} --app orders-app
  stetho probe jmx --jmx {p.streams.jmx} --read java.lang:type=Memory --attribute HeapMemoryUsage.used

Break something, ask again, mend it:
  curl -X PUT {p.connect.url}/connectors/orders-sink/pause
  curl -X PUT {p.connect.url}/connectors/orders-sink/resume
  touch {faults}/orders-sink-2      # task 2 of orders-sink fails
  rm {faults}/orders-sink-2
  curl -X POST {p.connect.url}/connectors/orders-sink/tasks/2/restart
  curl -X POST {control}/rebalance            # then settle
  curl -X POST {control}/lose-thread          # or die, or close; then start
  kill -STOP {p.streams.process.pid}          # the Streams JVM; then kill -CONT

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
    print("starting the platform; the first time it fetches and builds for some minutes …", flush=True)
    ended = threading.Event()
    try:
        prepare()
        # From here on an interrupted start would leave servers behind: it is finished first.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="stetho-stack-") as folder, Platform(Path(folder)) as platform:
            show(platform, Path(folder), time.monotonic() - begun)
            ended.wait()
    except StackError as error:
        print(f"cannot start the platform: {error}", file=sys.stderr)
        return 1
    print("stopped", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
