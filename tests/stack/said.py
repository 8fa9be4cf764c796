"""What one call of the command printed and how it ended."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Said:
    code: int
    document: dict[str, Any]
    stderr: str

    @property
    def message(self) -> str:
        return str(self.document["message"])

    @property
    def values(self) -> dict[str, Any]:
        """What a `jmx` probe read, by attribute."""
        return {item["attribute"]: item["value"] for item in self.document["data"]["mbeans"]}
