"""What each codec writes, reads, loses and refuses."""

import math
from typing import Any

import pytest

from qsuper.errors import ParamError
from qsuper.tasks.codecs import CODECS, php, query, text_of
from qsuper.tasks.codecs.codec import BYTES_MOST

DEEP = 100_000


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def refusal(codec: str, param: Any) -> str:
    """Why a param is refused: one line."""
    with pytest.raises(ParamError) as error:
        CODECS[codec].decode(param)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300
    return str(error.value)


@pytest.mark.parametrize("codec", CODECS)
def test_no_param_is_no_argument(codec: str) -> None:
    assert CODECS[codec].encode({}) is None
    assert CODECS[codec].decode(None) == ([], {})


@pytest.mark.parametrize(
    ("codec", "param", "args", "kwargs"),
    [
        ("json", '{"a": 1, "b": [2]}', [], {"a": 1, "b": [2]}),
        ("json", "[1, [2]]", [1, [2]], {}),
        ("json", "5", [5], {}),
        ("json", "null", [None], {}),
        ("json", '{"a": 1, "a": 2}', [], {"a": 2}),
        ("json", '"\\ud83d\\ude00 \\\\ud800 \\u0000"', ["😀 \\ud800 \0"], {}),
        ("query", "uid=4&uids[]=6&uids[]=7&", [], {"uid": "4", "uids": ["6", "7"]}),
        ("query", "", [], {}),
        ("query", "0=a&1=b", [], {"0": "a", "1": "b"}),
        ("php", 'a:1:{s:3:"uid";i:4;}', [], {"uid": 4}),
        ("php", "a:2:{i:0;i:6;i:1;i:7;}", [6, 7], {}),
        ("php", "a:0:{}", [], {}),
        ("php", 's:2:"hi";', ["hi"], {}),
        ("php", "N;", [None], {}),
        ("raw", "", [""], {}),
        ("raw", b"\xc3\xa9", ["é"], {}),
    ],
)
def test_a_param_is_the_arguments_of_a_call(
    codec: str, param: Any, args: list[Any], kwargs: dict[str, Any]
) -> None:
    assert CODECS[codec].decode(param) == (args, kwargs)


@pytest.mark.parametrize("codec", CODECS)
def test_what_no_database_holds_is_refused_both_ways(codec: str) -> None:
    for text in ("\ud800", "a\udfffb"):
        with pytest.raises(ParamError, match=r"UTF-8"):
            CODECS[codec].encode({"a": text})
        assert "is not UTF-8" in refusal(codec, text)
    assert "is not UTF-8: invalid start byte at byte 1" in refusal(codec, b"a\xff")
    assert f"larger than {BYTES_MOST} bytes" in refusal(codec, "é" * (BYTES_MOST // 2 + 1))
    assert f"larger than {BYTES_MOST} bytes" in refusal(codec, b"a" * (BYTES_MOST + 1))
    with pytest.raises(ParamError, match=r"larger than"):
        CODECS[codec].encode({"a": "a" * (BYTES_MOST + 1)})


@pytest.mark.parametrize("codec", ["json", "query", "php"])
def test_names_that_are_no_text_are_refused(codec: str) -> None:
    for key in ("\ud800", (1, 2), b"k"):
        with pytest.raises(ParamError):
            CODECS[codec].encode({"a": {key: 1}})


@pytest.mark.parametrize("codec", ["json", "query", "php"])
@pytest.mark.parametrize(
    "value",
    [b"a", {1}, object(), 1j, nested(DEEP)],
    ids=["bytes", "set", "object", "complex", "deep"],
)
def test_what_a_codec_has_no_word_for_is_refused(codec: str, value: Any) -> None:
    with pytest.raises(ParamError):
        CODECS[codec].encode({"a": value})


@pytest.mark.parametrize("codec", ["json", "query", "php"])
def test_what_holds_itself_is_refused(codec: str) -> None:
    endless: list[Any] = []
    endless.append(endless)
    twice: list[Any] = []
    for _ in range(60):
        twice = [twice, twice]
    with pytest.raises(ParamError):
        CODECS[codec].encode({"a": endless})
    if codec != "json":
        with pytest.raises(ParamError, match="no more"):
            CODECS[codec].encode({"a": twice})


@pytest.mark.parametrize(
    ("codec", "param"),
    [
        ("json", "[" * DEEP),
        ("json", "[" * DEEP + "]" * DEEP),
        ("json", '{"a":' * DEEP),
        ("query", "a" + "[]" * DEEP),
        ("php", "a:1:{i:0;" * DEEP + "N;" + "}" * DEEP),
    ],
)
def test_nesting_without_end_is_refused(codec: str, param: str) -> None:
    assert "too deeply" in (why := refusal(codec, param)) or "no more" in why


@pytest.mark.parametrize("codec", ["json", "query", "php"])
def test_an_integer_of_5000_digits_is_not_written(codec: str) -> None:
    with pytest.raises(ParamError, match="integer"):
        CODECS[codec].encode({"a": 10**5000})


@pytest.mark.parametrize(
    ("param", "why"),
    [
        ("", "is not JSON: Expecting value"),
        ("NaN", "NaN is no number of JSON"),
        ('{"a": -Infinity}', "-Infinity is no number"),
        ("1e999", "larger than a float can be"),
        ('"\\ud800"', "half a surrogate pair"),
        ('{"\\udc00": 1}', "half a surrogate pair"),
        ("9" * 5000, "4300 digits"),
        ("[" * DEEP, "is not JSON: it is nested too deeply"),
        ('"a\0b"', "control character"),
        ("{} {}", "Extra data"),
    ],
)
def test_what_is_no_json_says_why(param: str, why: str) -> None:
    assert why in refusal("json", param)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_json_has_no_word_for_infinities(value: float) -> None:
    with pytest.raises(ParamError, match="not JSON compliant"):
        CODECS["json"].encode({"a": value})


@pytest.mark.parametrize(
    ("param", "why"),
    [
        ('O:8:"stdClass":0:{}', "holds an object (O:) at byte 0"),
        ('a:1:{s:1:"a";C:3:"Foo":0:{}}', "holds an object (C:) at byte 13"),
        ("a:2:{i:0;a:0:{}i:1;R:2;}", "holds a reference (R:) at byte 19"),
        ("a:2:{i:0;a:0:{}i:1;r:2;}", "holds a reference (r:) at byte 19"),
        ('E:11:"Suit:Hearts";', "holds an enum (E:) at byte 0"),
        ('S:1:"\\61";', "holds an escaped string (S:) at byte 0"),
        ('s:100:"abc";', "another length than 100 begins at byte 7"),
        ('s:1:"é";', "another length than 1 begins"),
        ("a:999999999:{i:0;i:1;}", "entries of arrays, no more"),
        ("a:2:{i:0;i:1;}", "no value begins at byte 13"),
        ("a:1:{i:0;i:1;i:2;}", "an array of 1 does not end at byte 13"),
        ("i:5;i:6;", "more follows the value at byte 4"),
        ("i:9223372036854775808;", "more than 64 bits"),
        (f"i:{'9' * 5000};", "more than 64 bits"),
        ("a:1:{i:9223372036854775808;N;}", "more than 64 bits"),
        ("a:1:{b:1;N;}", "neither integer nor string"),
        ('a:1:{i:4;s:1:"a";}', "whose key 4 is no argument's name"),
        ("", "no value begins at byte 0"),
        ("uid=4", "no value begins at byte 0"),
    ],
)
def test_php_data_that_is_not_plain_or_lies_says_where(param: str, why: str) -> None:
    assert why in refusal("php", param)


def test_php_arrays_have_a_greatest_depth_and_a_greatest_count() -> None:
    most = php.DEPTH_MOST
    assert php.unserialize(php.serialize(nested(most - 1))) == nested(most - 1)
    for depth in (most, most + 1):
        with pytest.raises(ParamError, match="100 arrays within each other"):
            php.serialize(nested(depth))
        with pytest.raises(ParamError, match="100 arrays within each other"):
            php.unserialize("a:1:{i:0;" * depth + "a:0:{}" + "}" * depth)
    with pytest.raises(ParamError, match="entries of arrays"):
        php.serialize([0] * (php.COUNT_MOST + 1))


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_php_has_integers_of_64_bits(value: int) -> None:
    for given in (value, {value: "key"}):
        with pytest.raises(ParamError, match="64 bits"):
            php.serialize(given)


def test_an_argument_that_php_would_take_for_a_position_is_refused() -> None:
    with pytest.raises(ParamError, match="named '0'"):
        CODECS["php"].encode({"0": "a"})


@pytest.mark.parametrize(
    ("param", "why"),
    [
        ("a=%ff", "is not UTF-8: invalid start byte after 'a=%ff'"),
        ("a\0b=1&c=2", "holds a NUL"),
        ("a%00b=1", "a NUL in the name"),
        ("a[%00]=1", "a NUL in the name"),
        ("a" + "[b]" * 65 + "=1", "64 brackets after a name, no more"),
        ("a&" * (query.COUNT_MOST + 1), "values, no more"),
        (f"a[{2**63 - 1}]=1&a[]=2", "no index left"),
    ],
)
def test_what_php_would_cut_off_a_query_is_refused(param: str, why: str) -> None:
    assert why in refusal("query", param)


@pytest.mark.parametrize("name", ["", " a", "a.b", "a b", "a[b]", "a[b", "[a", "a\0", "0.5"])
def test_a_name_that_would_come_back_as_another_is_not_written(name: str) -> None:
    with pytest.raises(ParamError, match=r"cannot write an argument|NUL in the name"):
        query.build_query({name: 1})


@pytest.mark.parametrize("key", ["", " ", "\t", "a]b", "]", "a\0"])
def test_a_key_that_would_come_back_as_another_is_not_written(key: str) -> None:
    with pytest.raises(ParamError, match=r"cannot write the key|NUL in the name"):
        query.build_query({"a": {key: 1}})


def test_a_long_name_before_many_values_does_not_grow_without_end() -> None:
    with pytest.raises(ParamError, match="larger than"):
        query.build_query({"a": {"k" * 100_000: list(range(100_000))}})


def test_a_query_has_a_greatest_depth() -> None:
    value = nested(query.DEPTH_MOST - 1)
    deepest = value
    while deepest:
        deepest = deepest[0]
    deepest.append("x")
    assert query.parse_query(query.build_query({"a": value})) == {"a": value}
    with pytest.raises(ParamError, match="64 brackets"):
        query.build_query({"a": [value]})


def test_raw_takes_one_text() -> None:
    for arguments in ({"a": "x", "b": "y"}, {"a": 5}, {"a": None}):
        with pytest.raises(ParamError, match="one argument, a str"):
            CODECS["raw"].encode(arguments)


def test_text_of_takes_what_a_driver_gives() -> None:
    assert text_of("é") == text_of("é".encode()) == "é"
    assert text_of(5) == "5"
