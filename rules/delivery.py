"""`route`, `receivers` and `fallback` of all files: who is told."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain

from rules.apprise_url import complaint
from rules.document import MappingNode, Mistake, Node, Place, ScalarNode, plain
from rules.expand import Expandable
from rules.fit import FILLER, Fitted, find, listed, mappings
from rules.model import Destination, Receiver
from rules.route import ALL_LABELS, Route
from rules.shape import ReceiverShape, RouteShape
from rules.template import TemplateError
from rules.wording import did_you_mean


def read_receivers(files: Sequence[Fitted], ask_apprise: bool, mistakes: list[Mistake]) -> Mapping[str, Receiver]:
    found: dict[str, Receiver] = {}
    places: dict[str, Place] = {}
    for file in files:
        for shape, node in zip(file.shape.receivers, mappings(file.node, "receivers"), strict=True):
            place = node.entries["name"].value.place
            if "name" not in node.broken and places.setdefault(shape.name, place) != place:
                said = f"the receiver `{shape.name}` stands at {places[shape.name]} already; keep one of the two"
                mistakes.append(Mistake(place, said))
            found[shape.name] = _receiver(shape, node, ask_apprise, mistakes)
    return found


def read_route(files: Sequence[Fitted], mistakes: list[Mistake]) -> Route | None:
    """The one route of all files; who it leads to is checked by `check_receivers`."""
    first: Place | None = None
    route: Route | None = None
    for file in files:
        node = find(file.node, ["route"])
        if file.shape.route is None or not isinstance(node, MappingNode):
            continue
        place = file.node.entries["route"].key.place
        if first is None:
            first, route = place, _route(file.shape.route)
        else:
            said = f"there is a `route` at {first} already; all files have one together, so add to its `routes`"
            mistakes.append(Mistake(place, said))
        mistakes += _check_root(file.shape.route, node)
    return route


def read_fallback(files: Sequence[Fitted], mistakes: list[Mistake]) -> str | None:
    fallback: str | None = None
    for file in files:
        name = file.shape.fallback
        if name is not None and fallback not in (None, name):
            place = file.node.entries["fallback"].value.place
            mistakes.append(Mistake(place, f"another file's `fallback` is `{fallback}`; there can be only one"))
        fallback = fallback or name
    return fallback


def check_receivers(files: Sequence[Fitted], receivers: Collection[str]) -> Iterator[Mistake]:
    """The names in routes and in `fallback` that no receiver has."""
    if FILLER in receivers or any("receivers" in file.node.broken for file in files):
        return  # the missing one may be one of those that are told of
    for file in files:
        for name in chain([find(file.node, ["fallback"])], _route_receivers(find(file.node, ["route"]))):
            if isinstance(name, ScalarNode) and not name.null and name.text not in receivers:
                yield Mistake(name.place, f"there is no receiver `{name.text}`; {did_you_mean(name.text, receivers)}")


def _route_receivers(route: Node | None) -> Iterator[Node | None]:
    if isinstance(route, MappingNode):
        yield find(route, ["receiver"])
        for child in mappings(route, "routes"):
            yield from _route_receivers(child)


def _receiver(shape: ReceiverShape, node: MappingNode, ask_apprise: bool, mistakes: list[Mistake]) -> Receiver:
    destinations: dict[str, Destination] = {}
    for scalar in listed(node, "apprise"):
        destination = Destination(shape.name, scalar.text)
        try:
            references = Expandable(scalar.text).references
        except TemplateError as error:
            mistakes.append(Mistake(scalar.at(error.offset), str(error)))
            continue
        if scalar.text in destinations:
            said = f"the receiver `{shape.name}` has this destination twice; it is told once, so take one out"
            mistakes.append(Mistake(scalar.place, said))
        elif ask_apprise and not references and (said := complaint(scalar.text)):
            whose = "" if "name" in node.broken else f"receiver `{shape.name}`: "
            mistakes.append(Mistake(scalar.place, whose + said))
        destinations[scalar.text] = destination
    return Receiver(shape.name, tuple(destinations.values()))


def _route(shape: RouteShape) -> Route:
    return Route(
        receiver=shape.receiver,
        matchers=tuple(chain.from_iterable(shape.matchers)),
        group_by=None if shape.group_by is None else tuple(shape.group_by),
        group_wait=shape.group_wait,
        group_interval=shape.group_interval,
        repeat_interval=shape.repeat_interval,
        continue_=shape.continue_,
        routes=tuple(_route(child) for child in shape.routes),
    )


def _check_root(shape: RouteShape, node: MappingNode) -> Iterator[Mistake]:
    if shape.receiver is None and "receiver" not in node.broken:
        said = "`receiver` is missing: the root route names the receiver of all that no other route takes"
        yield Mistake(node.place, said)
    for key in ("matchers", "continue"):
        if key in node.entries and plain(node.entries[key].value) is not None:
            said = f"the root route takes every alert and has no `{key}`; write it in one of its `routes`"
            yield Mistake(node.entries[key].key.place, said)
    yield from _check_group_by(node)


def _check_group_by(node: MappingNode) -> Iterator[Mistake]:
    """What is wrong with the `group_by` of a route and of those below it."""
    labels = listed(node, "group_by")
    for index, label in enumerate(labels):
        if label.text == ALL_LABELS and len(labels) > 1:
            yield Mistake(label.place, "`...` stands for all labels; give it alone")
        elif any(label.text == other.text for other in labels[:index]):
            yield Mistake(label.place, f"`group_by` has `{label.text}` more than once; give it once")
    for child in mappings(node, "routes"):
        yield from _check_group_by(child)
