"""json-check against Python's json module, which shares no code with it."""
import json
import random
import subprocess

import pytest

from procs import BUILD, RUNNER, Proc

CHECK = [*RUNNER, str(BUILD / "json-check")]

CHARACTERS = "ab\"\\/\b\n\x01\x7f\u00e9\u20ac\U0001f600 :,"


def check(data, name="-"):
    result = subprocess.run([*CHECK, name], input=data, capture_output=True, timeout=60)
    assert (result.returncode == 0) == (result.stderr == b"")
    return result.returncode


def python_says(data):
    def refuse(name):
        raise ValueError(name)

    try:
        json.loads(data.decode("utf-8"), parse_constant=refuse)
        return True
    except (ValueError, RecursionError):
        return False


def sample(rng, depth=0):
    kind = rng.randrange(8 if depth < 5 else 5)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.choice([0, -1, 1.5, 1e300, -2e-9, 10 ** 30, rng.getrandbits(64)])
    if kind < 5:
        return "".join(rng.choices(CHARACTERS, k=rng.randrange(8)))
    if kind == 5:
        return {str(rng.random())[:5]: sample(rng, depth + 1) for _ in range(rng.randrange(5))}
    return [sample(rng, depth + 1) for _ in range(rng.randrange(5))]


def damaged(rng, data):
    at = rng.randrange(len(data) + 1)
    piece = rng.choice([b"", b",", b":", b"\"", b"\\", b"{", b"}", b"[", b"]", b"0", b"-", b".",
                        b"e", b"\xff", b"\xc3", b"\n", b"\0", b"true", b"u12", b" "])
    return data[:at] + piece + data[at + rng.randrange(3):]


def test_same_verdict_as_python():
    rng = random.Random(8259)
    verdicts = set()
    for _ in range(400):
        value = sample(rng)
        data = json.dumps(value, ensure_ascii=rng.random() < 0.5,
                          indent=rng.choice([None, 1])).encode()
        for text in (data, damaged(rng, data)):
            expected = python_says(text)
            verdicts.add(expected)
            assert check(text) == (0 if expected else 1), text
    assert verdicts == {True, False}


def test_any_size(tmp_path):
    """Far more than any buffer, with the error as the last byte."""
    path = tmp_path / "big.json"
    text = b"\"" + b"0123456789\\u20ac\xe2\x82\xac" * 1000000 + b"\""
    data = b"[" + text + b",[1.5e3,{}]" * 300000 + b"]"
    path.write_bytes(data)
    assert check(None, str(path)) == 0
    path.write_bytes(data[:-1] + b"}")
    assert check(None, str(path)) == 1


def test_pieces():
    """A pipe that gives a few bytes at a time."""
    process = Proc([*CHECK, "-"], stdin=subprocess.PIPE)
    for part in [b" {\"a", b"\\", b"u00", b"e9\":", b"[1", b"2, tr", b"ue], \"b\": \"\xe2\x82",
                 b"\xac\"}", b"\n"]:
        process.child.stdin.write(part)
        process.child.stdin.flush()
    process.child.stdin.close()
    assert process.wait() == 0


@pytest.mark.parametrize("data", [b"[" * 100000, b"[" * 600 + b"]" * 600, b"{\"a\":" * 100000],
                         ids=["arrays", "arrays that end", "objects"])
def test_too_deep(data):
    assert check(data) == 1


def test_deep_enough():
    assert check(b"[" * 500 + b"]" * 500) == 0


def test_unreadable(tmp_path):
    assert check(None, str(tmp_path / "missing")) == 2
    assert check(None, str(tmp_path)) == 2
    assert subprocess.run(CHECK, capture_output=True).returncode == 2
