"""What the demo tells, in its order."""

from tests.demo.stage import Stage

CONNECT, APPLICATION, BURROW, PROMETHEUS = "connect:8083", "orders-app:9404", "burrow:8000", "prometheus:9090"
TASK = "ConnectTaskFailed: task 2 of connector orders-sink has failed"
STREAMS = "OrdersStreamsDown: the orders application is down"


def tell(stage: Stage) -> None:
    """The whole of it; raises Unexpected where something is not as it should be."""
    introduce(stage)
    ask_the_healthy(stage)
    watch(stage)
    fall_ill(stage)
    lose_sight(stage)
    get_well(stage)


def introduce(stage: Stage) -> None:
    stage.heading("stetho: a demonstration")
    stage.say(
        "Small servers on this machine answer as Kafka Connect, Burrow, Prometheus and a Kafka Streams application do, "
        "with answers recorded on the real ones (ages count from then), and a mail server takes what is sent. Each "
        "command below is run for real. To type them yourself while the servers are there "
        "(`.venv/bin/python -m tests.demo --stay` keeps them):"
    )
    stage.screen.excerpt(
        f"export PATH={stage.bin}:$PATH\n"
        "export STETHO_OUTPUT=text    # as on any terminal; elsewhere the answer is one line of JSON\n"
        f"cd {stage.folder}"
    )


def ask_the_healthy(stage: Stage) -> None:
    url = stage.servers.url
    stage.heading("1. Ask: a probe is one question to one system")
    stage.run("stetho", "probe", "connect", "--url", url(CONNECT), says=["OK", "9 of 9 tasks RUNNING"])
    stage.run("stetho", "probe", "streams", "--exporter", url(APPLICATION), says=["OK", "RUNNING"])
    stage.run("stetho", "probe", "burrow", "--url", url(BURROW), "--group", "orders-app", says=["OK"])
    stage.run("stetho", "probe", "targets", "--url", url(PROMETHEUS), says=["OK", "5 of 5 targets up"])
    stage.say("The same as programs get it, one JSON object on one line:")
    stage.run("stetho", "probe", "streams", "--exporter", url(APPLICATION), "--output", "json", says=['"code":0'])


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
    stage.run("stetho", "probe", "connect", "--url", url(CONNECT), code=2, says=["CRITICAL", "orders-sink/2"])
    stage.run("stetho", "probe", "streams", "--exporter", url(APPLICATION), code=2, says=["CRITICAL"])
    stage.say(
        "As a kubelet asks: one failed task is no reason to restart a Connect worker, but a Streams application "
        "without a living client is to be restarted."
    )
    stage.run("stetho", "probe", "connect", "--url", url(CONNECT), "--as", "liveness")
    stage.run("stetho", "probe", "streams", "--exporter", url(APPLICATION), "--as", "liveness", code=1)
    stage.say("The next sweep pages for the task. The application's rule has a `for`, so its alert is pending.")
    stage.sweep(f"FIRING {TASK}")
    stage.run("stetho", "alerts", says=["FIRING   ConnectTaskFailed", "PENDING  OrdersStreamsDown"])
    stage.say("A second later it is still down, and pages too. Of the task nobody is told again.")
    stage.sweep(f"FIRING {STREAMS}")


def lose_sight(stage: Stage) -> None:
    stage.heading("4. The Connect worker no longer answers")
    stage.say(
        "So its tasks cannot be judged. What cannot be judged is held, for no news is not good news; after 5 minutes "
        "of it StethoUnknown would fire."
    )
    stage.servers.lose(CONNECT)
    stage.run("stetho", "probe", "connect", "--url", stage.servers.url(CONNECT), code=2, says=["refused"])
    stage.sweep()
    stage.run(
        "stetho", "alerts", says=["FIRING   ConnectTaskFailed", "held: not verified since", "PENDING  StethoUnknown"]
    )
    stage.servers.bring_back(CONNECT)


def get_well(stage: Stage) -> None:
    url = stage.servers.url
    stage.heading("5. All is mended")
    stage.servers.get_well()
    connector = ("--connector", "orders-sink")
    stage.run("stetho", "probe", "connect", "--url", url(CONNECT), *connector, says=["OK", "3 of 3 tasks RUNNING"])
    stage.run("stetho", "probe", "streams", "--exporter", url(APPLICATION), says=["OK", "RUNNING"])
    stage.say("Whoever was told of the fire is told of its end.")
    stage.sweep(f"RESOLVED {TASK}", f"RESOLVED {STREAMS}")


def stay(stage: Stage) -> None:
    """Leave the servers up; each Enter breaks or mends them. Ctrl-C, or the end of the input, ends it."""
    stage.heading("6. Your turn")
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
