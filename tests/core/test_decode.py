"""Go's reading rules, one small document each."""

from __future__ import annotations

import json

import pytest

from cachegraph.core.decode import decode, decode_records, encode
from cachegraph.core.model import ZERO_TIME, CacheConfig, CacheInput, CacheLayer, CacheRecord, CacheResult
from cachegraph.errors import DecodeError


def test_a_missing_parent_is_zero() -> None:
    assert decode(b'{"layers": [{"blob": "a", "parent": -1}, {"blob": "b"}]}').layers == (
        CacheLayer(blob="a", parent=-1),
        CacheLayer(blob="b", parent=0),
    )


def test_keys_match_without_regard_to_case() -> None:
    config = decode(b'{"RECORDS": [{"Digest": "d", "layers": [{"Layer": 1, "createdat": "2026-01-02T03:04:05Z"}]}]}')
    assert config.records == (
        CacheRecord(digest="d", layers=(CacheResult(layer=1, created_at="2026-01-02T03:04:05Z"),)),
    )


def test_of_a_key_that_comes_twice_the_last_counts() -> None:
    assert decode(b'{"records": [{"digest": "a", "DIGEST": "b", "digest": "c"}]}').records[0].digest == "c"
    assert decode(b'{"records": [{"digest": "a", "Digest": "b"}]}').records[0].digest == "b"


def test_unknown_fields_are_skipped() -> None:
    assert decode(b'{"new": [1, {"x": null}], "records": []}') == CacheConfig()


@pytest.mark.parametrize("text", ["null", "{}", '{"layers": null, "records": null}'])
def test_null_and_nothing_are_empty(text: str) -> None:
    assert decode(text.encode()) == CacheConfig()


def test_null_leaves_the_zero_value() -> None:
    layers = '[{"layer": null, "createdAt": null}]'
    text = f'{{"records": [null, {{"digest": null, "inputs": [null, [null]], "layers": {layers}}}]}}'
    assert decode(text.encode()).records == (
        CacheRecord(),
        CacheRecord(inputs=((), (CacheInput(),)), layers=(CacheResult(layer=0, created_at=ZERO_TIME),)),
    )


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    assert decode(b'{"records": [{"digest": "a\xe2\x82b\\ud800"}]}').records[0].digest == "a��b�"


def test_keys_fold_letter_by_letter() -> None:
    assert decode('{"record\u017f": [{"\u212ahain\u017f": 1, "dige\ufb06": "x"}]}'.encode()).records == (CacheRecord(),)


def test_a_long_number_in_an_unknown_field_is_skipped() -> None:
    assert decode(b'{"new": ' + b"9" * 5000 + b"}") == CacheConfig()


def test_null_leaves_what_stands_there() -> None:
    assert decode(b'{"records": [{"digest": "a", "digest": null}]}').records[0].digest == "a"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the document is empty, expected JSON"),
        ("{", "not JSON: Expecting property name enclosed in double quotes at line 1 column 2 of 1 bytes"),
        ('{"records": [', "not JSON: Expecting value at line 1 column 14 of 13 bytes"),
        ("[1]", "expected an object, got an array"),
        ('"x"', 'expected an object, got "x"'),
        ('{"records": {}}', "records: expected an array, got an object"),
        ('{"records": [7]}', "records[0]: expected an object, got 7"),
        ('{"records": [{"digest": 7}]}', "records[0].digest: expected a string, got 7"),
        (
            '{"records": [{"inputs": [[{"link": "x"}]]}]}',
            "records[0].inputs[0][0].link: expected an integer of 64 bits",
        ),
        (
            '{"records": [{"inputs": [[{"link": true}]]}]}',
            "records[0].inputs[0][0].link: expected an integer of 64 bits",
        ),
        ('{"layers": [{"parent": 1.0}]}', "layers[0].parent: expected an integer of 64 bits, got 1.0"),
        ('{"layers": [{"parent": 9223372036854775808}]}', "layers[0].parent: expected an integer of 64 bits"),
        ('{"layers": [NaN]}', "not JSON: Expecting value at line 1 column 13 of 17 bytes"),
        (
            '{"records": [{}, {"chains": [{"layers": [], "createdAt": "yesterday"}]}]}',
            'records[1].chains[0].createdAt: expected an RFC 3339 time, got "yesterday"',
        ),
        (
            '{"records": [{"layers": [{"layer": 0, "createdAt": "2026-02-30T00:00:00Z"}]}]}',
            'records[0].layers[0].createdAt: expected an RFC 3339 time, got "2026-02-30T00:00:00Z"',
        ),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested more than 10,000 deep"),
        ('{"layers": [{"parent": ' + "9" * 5000 + "}]}", "layers[0].parent: expected an integer of 64 bits"),
        ('{"layers": [{"parent": ' + "[" * 900 + "]" * 900 + "}]}", "layers[0].parent: expected an integer of 64 bits"),
    ],
)
def test_an_error_names_place_value_and_what_was_allowed(text: str, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(text.encode())
    assert caught.value.message.startswith(message)
    assert caught.value.hint == "BuildKit refuses it as well; export the cache again"


def test_indexes_of_64_bits_are_read() -> None:
    assert decode(b'{"layers": [{"parent": 9223372036854775807}]}').layers[0].parent == 2**63 - 1


def test_an_inline_cache_is_the_records_alone() -> None:
    assert decode_records(b'[{"digest": "a"}]') == (CacheRecord(digest="a"),)
    with pytest.raises(DecodeError, match=r"^records\[0\]\.digest: expected a string, got 1"):
        decode_records(b'[{"digest": 1}]')


def test_zero_values_are_left_out_when_written() -> None:
    config = CacheConfig(layers=(CacheLayer(blob="a", parent=-1), CacheLayer(blob="b")))
    assert json.loads(encode(config)) == {"layers": [{"blob": "a", "parent": -1}, {"blob": "b"}]}
