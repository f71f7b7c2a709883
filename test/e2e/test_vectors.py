"""The Python codec reads and writes the vectors that the C codec reads and writes."""
import json

import pytest

import vectors
import wire


def plain(message):
    """Without what may be said by leaving it out."""
    kind, fields = message
    return kind, {k: v for k, v in fields.items() if v not in ([], False)}


@pytest.mark.parametrize("name", vectors.messages())
def test_message(name):
    kind, fields = vectors.fields(name)
    assert wire.encode_tlv(kind, fields) == vectors.tlv(name)
    assert plain(wire.decode_tlv(vectors.tlv(name))) == plain((kind, fields))
    assert plain(wire.decode_json(vectors.json(name))) == plain((kind, fields))
    ours, theirs = json.loads(wire.encode_json(kind, fields)), json.loads(vectors.json(name))
    assert ours == theirs


def test_there_are_vectors():
    kinds = {vectors.fields(name)[0] for name in vectors.messages()}
    assert kinds == set(wire.TYPES)
