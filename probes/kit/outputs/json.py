"""One JSON object on one line."""

from probes.kit.jsontext import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probes.kit.run import Answer


def render(answer: "Answer", colour: bool) -> str:  # noqa: ARG001 - every form is called alike
    """The answer's document."""
    return dumps(answer.document())
