"""`qsuper doctor`, called in this process, and its findings taken apart."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.unit.cli import call

SAY_IT_THEMSELVES = ("config", "app", "programs", "schedules", "redis", "daemon")
"""Subjects some of whose findings are others' words, the mend among them."""


@dataclass(frozen=True)
class Examined:
    """What one call has found."""

    code: int
    findings: list[dict[str, Any]]

    def level(self, words: str) -> str | None:
        """The worst level of the findings that have the words; None when none has them."""
        order = ("ok", "note", "warn", "bad")
        levels = [one["level"] for one in self.findings if words in one["says"]]
        return max(levels, key=order.index, default=None)

    def mend(self, words: str) -> str:
        (one,) = [one for one in self.findings if words in one["says"]]
        return str(one["mend"])

    def wrong(self, *subjects: str) -> list[str]:
        """What is a warning or worse in these subjects."""
        return [
            one["says"]
            for one in self.findings
            if one["subject"] in subjects and one["level"] in ("warn", "bad")
        ]


def examined(folder: Path, store: str | None = None, redis: str | None = None) -> Examined:
    """`qsuper doctor --json` in a folder, over a database and a Redis."""
    urls = {"QSUPER_STORE__URL": store, "QSUPER_REDIS__URL": redis}
    environ: dict[str, Any] = {name: url for name, url in urls.items() if url is not None}
    answer = call(folder, "doctor", "--json", QSUPER_STORE__CONNECT_TIMEOUT="1", **environ)
    assert not answer.err
    found = json.loads(answer.out)
    for one in found["findings"]:
        assert one["says"]
        if one["level"] in ("warn", "bad") and one["subject"] not in SAY_IT_THEMSELVES:
            assert one["mend"] or "qsuper db upgrade" in one["says"], one
    assert answer.code == (1 if found["bad"] else 0)
    return Examined(answer.code, found["findings"])
