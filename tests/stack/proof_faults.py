"""What breaks during the proof, and what people must be told of each: all of it, and nothing beside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.stack.platform import Platform
from tests.stack.proof import Alarm


@dataclass(frozen=True)
class Fault:
    """One thing that breaks and is mended, by hand or by Kubernetes, while sweeps go on; `slow`: that takes seconds."""

    strike: Callable[[Platform], object]
    mend: Callable[[Platform], object]
    alarms: Callable[[Platform], Sequence[Alarm]]
    slow: bool = False


def group_alarms(group: str) -> tuple[Alarm, ...]:
    """A group that nobody consumes for: Burrow says STOP of it, and its lag grows."""
    name = (f"consumer_group={group}",)
    return (
        Alarm("ConsumerGroupStopped", f"group {group} has stopped", "critical", "data", name, "groups ERR"),
        Alarm("ConsumerGroupBehind", f"group {group} is far behind", "warning", "data", name, "outside --critical 200"),
    )


def target_alarm(job: str, instance: str) -> Alarm:
    summary = f"{job} at {instance} cannot be scraped"
    return Alarm("TargetDown", summary, "warning", "", ("connection refused", f"instance={instance}"), "targets down")


def dead_client_alarms(platform: Platform) -> tuple[Alarm, ...]:
    """By the exporter and by Jolokia the application is dead, and it consumes no more."""
    by_exporter, by_jolokia = (f"target={url}" for url in (platform.streams.exporter_url, platform.streams.jolokia_url))
    few = "the orders application has fewer than 2 threads"
    return (
        Alarm("OrdersStreamsDown", "the orders application is down", "critical", "orders", (by_exporter,)),
        Alarm("OrdersStreamsThreads", few, "warning", "orders", (by_jolokia,)),
        *group_alarms("orders-app"),
    )


def killed_jvm_alarms(platform: Platform) -> tuple[Alarm, ...]:
    """With the JVM its exporter goes too, so Prometheus sees a target down."""
    [instance] = next(job.targets for job in platform.jobs() if job.name == "orders-app")
    return (*dead_client_alarms(platform), target_alarm("orders-app", instance))


def fail_two_tasks(platform: Platform) -> None:
    platform.connect.fail_task("audit-sink", 1)
    platform.connect.fail_task("payments-sink", 0)


def mend_two_tasks(platform: Platform) -> None:
    platform.connect.mend_task("audit-sink", 1)
    platform.connect.mend_task("payments-sink", 0)


FAILED_TASK = Fault(
    strike=lambda platform: platform.connect.fail_task("orders-sink", 2),
    mend=lambda platform: platform.connect.mend_task("orders-sink", 2),
    alarms=lambda platform: [
        Alarm(
            "ConnectTaskFailed",
            "task 2 of connector orders-sink has failed",
            "critical",
            "orders",
            ("connector=orders-sink", "task=2"),
            "1 of 9 tasks FAILED: orders-sink/2",
        )
    ],
)

# Both fail before the next sweep, so `group_by` makes one message of them.
TWO_FAILED_TASKS = Fault(
    strike=fail_two_tasks,
    mend=mend_two_tasks,
    alarms=lambda platform: [
        Alarm(
            "ConnectTaskFailed",
            "task 1 of connector audit-sink has failed",
            "critical",
            "orders",
            ("connector=audit-sink", "connector=payments-sink"),
            "2 of 9 tasks FAILED: audit-sink/1, payments-sink/0",
            count=2,
        )
    ],
)

STOPPED_CONSUMER = Fault(
    strike=lambda platform: platform.groups["billing"].stop(),
    mend=lambda platform: platform.groups["billing"].start(),
    alarms=lambda platform: group_alarms("billing"),
)

# The client is in ERROR and its MBeans are gone, while the JVM answers: nothing but JMX tells.
DEAD_CLIENT = Fault(
    strike=lambda platform: platform.streams.die(),
    mend=lambda platform: platform.streams.run(),
    alarms=dead_client_alarms,
    slow=True,
)

KILLED_JVM = Fault(
    strike=lambda platform: platform.streams.kill(),
    mend=lambda platform: platform.streams.start(),
    alarms=killed_jvm_alarms,
    slow=True,
)

TARGET_DOWN = Fault(
    strike=lambda platform: platform.shop[0].stop(),
    mend=lambda platform: platform.shop[0].start(),
    alarms=lambda platform: [target_alarm("shop", platform.shop[0].instance)],
)
