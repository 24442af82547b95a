"""What `qsuper db adopt` makes of what it sees."""

import pytest

from qsuper.cli.adopt_words import found, guess, plan
from qsuper.store.adopting import Adoption, OldTable
from qsuper.store.adopting.column import Column
from qsuper.store.adopting.old_table import Index


@pytest.mark.parametrize(
    ("params", "codec"),
    [
        (['{"uid": 4}', "[1, 2]"], "json"),
        (["uid=4&uids[]=6&uids[]=7&content=hi+you&", "uid=4"], "query"),
        (['a:1:{s:3:"uid";i:4;}', "i:4;", 's:5:"a=b&c";', "N;"], "php"),
        (["4", "hello = you", "{uid: 4}", "a=b=c&d", ""], "raw"),
        (["uid=4", "uid=5", "hello"], "query"),
        ([], "raw"),
    ],
)
def test_the_codec_is_guessed_by_what_most_params_are(params: list[str], codec: str) -> None:
    assert guess(tuple(params)) == codec


@pytest.mark.parametrize("stage", [(), ("queue_adoption", "queue_before_qsuper")])
def test_a_plan_warns_of_the_doubles_that_an_index_has_forbidden(stage: tuple[str, ...]) -> None:
    columns = {
        name: Column(name, "text", "text", True, None, "", "utf8mb4", 65535, "")
        for name in ("id", "taskphp", "param", "status")
    }
    indexes = (Index("ctime", "ctime", False), Index("once", "taskphp, param", True))
    old = OldTable("queue", "InnoDB", 1, columns, {}, indexes, {0: 1}, (), ())
    adoption = Adoption(old, frozenset(stage), leftover=False)
    assert "  its indexes are not kept, qsuper has its own: ctime, once" in found(adoption, 7)
    (warning,) = (line for line in plan(adoption, larger_first=False) if "BEWARE" in line)
    assert "the index once on (taskphp, param) is UNIQUE and is not kept" in warning
    assert "doubles" in warning
