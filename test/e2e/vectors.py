"""test/vectors as Python values."""
import re
from pathlib import Path

import wire

FOLDER = Path(__file__).resolve().parents[1] / "vectors"
ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\"}


def unescape(text):
    r"""\r \n \t \\ \xNN and anything else as it stands."""
    out = bytearray()
    for piece in re.findall(r"\\x[0-9a-fA-F]{2}|\\.|[^\\]+", text):
        if piece.startswith("\\x"):
            out.append(int(piece[2:], 16))
        elif piece.startswith("\\"):
            out += ESCAPES[piece[1]]
        else:
            out += piece.encode("utf-8")
    return bytes(out)


def rows(name, columns):
    """The lines of a table: `columns` words, then the rest as bytes."""
    for line in (FOLDER / name).read_text().splitlines():
        if line and not line.startswith("#"):
            *words, rest = line.split(" ", columns)
            yield (*words, unescape(rest))


def messages():
    """Names of the message vectors."""
    return sorted(p.stem for p in (FOLDER / "wire").glob("*.fields") if p.stem != "unknown")


def fields(name):
    """NAME.fields as (type, dict)."""
    kind, out = None, {}
    for line in (FOLDER / "wire" / (name + ".fields")).read_text().splitlines():
        key, _, text = line.partition(" ")
        if key == "type":
            kind = text
        elif key == "header":
            field, _, value = text.partition(" ")
            out.setdefault("headers", []).append((field.encode(), unescape(value)))
        elif wire.KIND[key] == wire.HEADERS:
            out[key] = []  # no field at all
        elif wire.KIND[key] == wire.UINT:
            out[key] = int(text)
        elif wire.KIND[key] == wire.BOOL:
            out[key] = text == "1"
        elif wire.KIND[key] == wire.BODY:
            out[key] = unescape(text)
        else:
            out[key] = unescape(text).decode("utf-8")
    return kind, out


def tlv(name):
    lines = (FOLDER / "wire" / (name + ".tlv")).read_text().splitlines()
    return bytes.fromhex("".join(line.split("#")[0] for line in lines))


def json(name):
    return (FOLDER / "wire" / (name + ".json")).read_text().rstrip("\n")
