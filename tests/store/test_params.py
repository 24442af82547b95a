"""What a codec has written is what it reads from the row, on every database."""

import pytest

from qsuper.job import NewJob
from qsuper.store import enqueueing
from qsuper.tasks.codecs import CODECS
from tests.store.table import Table

TEXTS = {
    "a NUL": "a\0b",
    "NULs at both ends": "\0\0a\0",
    "quotes and backslashes": "a'b\"c\\d\\'e`%s %(x)s :x {unix_now}",
    "line ends": "a\nb\r\nc\rd\x1a",
    "characters of four bytes": "😀 中文 é \U0010ffff",
    "non-characters": "\ufffe\uffff\ufeff",
    "spaces around": "  a  ",
    "all of latin 1": "".join(map(chr, range(256))),
}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("what", TEXTS)
def test_a_param_comes_back_from_the_table_as_it_was(table: Table, codec: str, what: str) -> None:
    given = {"text": TEXTS[what]}
    param = CODECS[codec].encode(given)
    enqueueing.insert(table.connection, NewJob("task", param))
    (job,) = table.claim()
    args, kwargs = CODECS[codec].decode(job.param)
    assert kwargs == given or args == [TEXTS[what]]
    assert job.param == param
