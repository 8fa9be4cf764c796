"""Which probes there are: the modules that lie in `probes/`. Nothing else lists them."""

import os
import sys

import probes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ENDINGS = (".py", ".pyc")


def modules(folder: str) -> list[str]:
    """The modules of a folder, sorted; those whose name begins with `_` are its own business."""
    names = (name.rpartition(".") for name in os.listdir(folder))
    stems = {stem for stem, dot, end in names if dot + end in _ENDINGS}
    return sorted(stem for stem in stems if stem.isidentifier() and not stem.startswith("_"))  # editors leave `.#x.py`


def names() -> list[str]:
    """The probes by their command names, sorted."""
    return [module.replace("_", "-") for folder in probes.__path__ for module in modules(folder)]


def load(name: str) -> "Any":
    """A probe's module, with its `Options`, `ASKS`, `EXAMPLE` and `probe`; KeyError when there is none of that name."""
    if name not in names():
        raise KeyError(name)
    module = f"probes.{name.replace('-', '_')}"
    __import__(module)
    return sys.modules[module]


def summary(module: "Any") -> str:
    """What a probe asks: the first line of its docstring."""
    return (module.__doc__ or "").strip().partition("\n")[0]
