"""A sweep reads a JVM's MBeans over RMI once for all questions that need the same."""

import time

import pytest

from probes.kit import catalog
from probes.kit.net import Found, JmxRequest
from probes.kit.result import ProbeError, Status, Unreachable
from probes.kit.run import Answer
from rules.asking import Asked, Crew, View
from rules.questions import Question
from tests.rules.test_asking import soon, well

BEAN = "kafka.server:type=ReplicaManager,name=UnderReplicatedPartitions"


def question(critical: str, jmx: str = "broker:9999", **options: str) -> Question:
    given = {"jmx": jmx, "read": BEAN, "attribute": "Value", "critical": critical, **options}
    return Question("jmx", catalog.load("jmx").Options.build(given))


class Jvm:
    """Answers with seven partitions, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def read(self, request: JmxRequest, end: float) -> list[Found]:
        self.asked.append(str(request))
        time.sleep(0.01)  # others come meanwhile
        return [Found({BEAN: {"Value": 7}})]


def answers(questions: list[Question], jvm: Jvm) -> list[Answer]:
    found, _ = Crew(questions, Asked(well, jvm.read), soon()).run()
    return [found[one.key] for one in questions]


def test_different_thresholds_on_the_same_attribute_share_one_read() -> None:
    jvm = Jvm()

    said = answers([question("5"), question("10"), question("6")], jvm)

    assert [one.status for one in said] == [Status.CRITICAL, Status.OK, Status.CRITICAL]
    assert jvm.asked == ["JMX read of jmx://broker:9999"]


@pytest.mark.parametrize(
    "other",
    [
        {"jmx": "other:9999"},
        {"username": "monitor"},
        {"ca_file": "ca.pem"},
        {"registry_tls": "true"},
        {"tls_name": "kafka"},
        {"attribute": "Other"},
        {"timeout": "9s"},
    ],
)
def test_what_decides_the_answer_parts_the_reads(other: dict[str, str]) -> None:
    jvm = Jvm()

    answers([question("5"), question("5", **other)], jvm)

    assert len(jvm.asked) > 1


def test_a_question_about_a_jvm_belongs_to_its_host() -> None:
    assert (question("5").host, question("5").endpoint) == ("broker", "jmx://broker:9999")
    assert question("5", jmx="service:jmx:rmi:///jndi/rmi://[::1]:9999/jmxrmi").host == "::1"


def test_a_jvm_that_refuses_is_unreachable_unless_it_answered_before() -> None:
    def refuse(request: JmxRequest, end: float) -> list[Found]:
        raise Unreachable(f"{request}: connection refused")

    one = question("5")
    request = one.options.over_rmi(((BEAN, ("Value",)),))
    view = View(Asked(well, refuse), 5, soon())
    with pytest.raises(Unreachable):
        view.jmx(request)
    assert (view.failed, view.reached) == (True, False)

    jvm = Jvm()
    asking = Asked(well, jvm.read)
    view = View(asking, 5, soon())
    view.jmx(request)
    asking._read = refuse
    with pytest.raises(ProbeError, match="though it answered another question just before") as caught:
        view.jmx(one.options.over_rmi(((BEAN, ()),)))
    assert caught.type is ProbeError
