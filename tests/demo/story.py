"""What the demo tells, in its order."""

from tests.demo.stage import Stage

TASK = "ConnectTaskFailed: task 2 of connector orders-sink has failed"
STREAMS = "OrdersStreamsDown: the orders application is down"


def tell(stage: Stage) -> None:
    """The whole of it; raises Unexpected where something is not as it should be."""
    introduce(stage)
    ask_the_healthy(stage)
    watch(stage)
    fall_ill(stage)
    get_well(stage)


def introduce(stage: Stage) -> None:
    stage.heading("stetho: a demonstration")
    stage.say(
        "Small servers on this machine answer as Kafka Connect, Burrow, Prometheus and a Kafka Streams application do, "
        "with answers recorded on the real ones, and a mail server takes what is sent. Each command below is run for "
        "real. To type them yourself while the servers are there (`python -m tests.demo --stay` keeps them):"
    )
    stage.screen.excerpt(
        f"export PATH={stage.bin}:$PATH\n"
        "export STETHO_OUTPUT=text    # as on any terminal; elsewhere the answer is one line of JSON\n"
        f"cd {stage.folder}"
    )


def ask_the_healthy(stage: Stage) -> None:
    url = stage.servers.url
    stage.heading("1. Ask: a probe is one question to one system")
    stage.run("stetho", "probe", "connect", "--url", url("connect:8083"), says=["OK"])
    stage.run("stetho", "probe", "streams", "--exporter", url("orders-app:9404"), says=["OK", "RUNNING"])
    stage.run("stetho", "probe", "burrow", "--url", url("burrow:8000"), says=["OK"])
    stage.run("stetho", "probe", "targets", "--url", url("prometheus:9090"), says=["OK"])


def watch(stage: Stage) -> None:
    stage.heading("2. Watch: rules say what is worth waking somebody for, and whom")
    stage.say(f"An ordinary rule file, {stage.folder / 'rules.yml'}:")
    stage.write_rules()
    stage.run("stetho", "rules", "check", "rules.yml")
    stage.say("A sweep asks every question once, judges the answers, tells whom it must, and ends. All is well now.")
    stage.sweep()


def fall_ill(stage: Stage) -> None:
    url = stage.servers.url
    stage.heading("3. A Connect task fails, and the Streams application dies")
    stage.servers.fall_ill()
    stage.run("stetho", "probe", "connect", "--url", url("connect:8083"), code=2, says=["CRITICAL", "orders-sink/2"])
    stage.run("stetho", "probe", "streams", "--exporter", url("orders-app:9404"), code=2, says=["CRITICAL"])
    stage.say(
        "The same questions as a kubelet asks them. One failed task is no reason to restart a Connect worker; "
        "a Streams application without a living client is one."
    )
    stage.run("stetho", "probe", "connect", "--url", url("connect:8083"), "--as", "liveness")
    stage.run("stetho", "probe", "streams", "--exporter", url("orders-app:9404"), "--as", "liveness", code=1)
    stage.say("The next sweep pages for the task. The application's rule has a `for`, so its alert is pending.")
    stage.sweep(f"FIRING {TASK}")
    stage.run("stetho", "alerts", says=["ConnectTaskFailed", "firing", "OrdersStreamsDown", "pending"])
    stage.say("It is still down, so the sweep after that pages for the application too.")
    stage.sweep(f"FIRING {STREAMS}")
    stage.say("Nothing new since then: nobody is told again (until `repeat_interval`, by default 4h).")
    stage.sweep()


def get_well(stage: Stage) -> None:
    url = stage.servers.url
    stage.heading("4. Both are mended")
    stage.servers.get_well()
    stage.run("stetho", "probe", "connect", "--url", url("connect:8083"), says=["OK"])
    stage.run("stetho", "probe", "streams", "--exporter", url("orders-app:9404"), says=["OK", "RUNNING"])
    stage.say("Whoever was told of the fire is told of its end.")
    stage.sweep(f"RESOLVED {TASK}", f"RESOLVED {STREAMS}")
    stage.run("stetho", "alerts")


def stay(stage: Stage) -> None:
    """Leave the servers up; each Enter breaks or mends them. Ctrl-C, or the end of the input, ends it."""
    stage.heading("5. Your turn")
    stage.say(
        "The servers stay. Type the commands above in another terminal; press Enter here to break both again, and "
        "once more to mend them. What arrives by mail is shown then. Ctrl-C ends the demo."
    )
    ill = False
    while True:
        try:
            input()
        except EOFError:
            return
        stage.mails()
        ill = not ill
        (stage.servers.fall_ill if ill else stage.servers.get_well)()
        stage.say("The task has failed and the application is dead." if ill else "Both are mended.")
