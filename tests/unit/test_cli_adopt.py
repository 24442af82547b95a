"""What `qsuper db adopt` makes of what it sees."""

import pytest

from qsuper.cli.adopt_words import guess


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
