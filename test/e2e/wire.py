"""The tunnel's messages in Python, written from include/WIRE.md alone.

A message is (type name, dict of fields). `headers` is a list of (name, value) byte pairs, `body`
is bytes, other strings are str, integers int, `more` bool. Absent fields are not in the dict.
"""
import base64
import json

TYPES = {"Auth": 1, "AuthSuccess": 2, "AuthError": 3, "HttpRequest": 4, "HttpResponse": 5,
         "Ping": 6, "Pong": 7, "Error": 8, "Stats": 9, "HttpBody": 16, "Window": 17, "Goaway": 18}
TYPE_NAMES = {number: name for name, number in TYPES.items()}

STR, UINT, BOOL, HEADERS, BODY = range(5)

# In the order in which they are written; body last.
FIELDS = [
    ("id", 1, STR), ("request_id", 1, STR), ("token", 2, STR), ("agent", 3, STR),
    ("session_id", 4, STR), ("method", 7, STR), ("url", 5, STR), ("status", 15, UINT),
    ("error", 6, STR), ("code", 17, UINT), ("window", 11, UINT), ("max_streams", 12, UINT),
    ("server_time", 13, UINT), ("retry_after", 14, UINT), ("timestamp", 16, UINT),
    ("credit", 18, UINT), ("delay_ms", 19, UINT), ("requests_processed", 20, UINT),
    ("requests_failed", 21, UINT), ("bytes_transferred", 22, UINT), ("uptime_seconds", 23, UINT),
    ("reconnects", 24, UINT), ("streams_active", 25, UINT), ("rtt_ms", 26, UINT),
    ("headers", 8, HEADERS), ("more", 10, BOOL), ("body", 9, BODY),
]
KIND = {name: kind for name, _, kind in FIELDS}
TAG = {name: tag for name, tag, _ in FIELDS}


class Malformed(Exception):
    """What no peer that follows the specification sends."""


def field_of_tag(kind, tag):
    if tag == 1:
        return "request_id" if kind == "Error" else "id"
    return next((name for name, number, _ in FIELDS if number == tag), None)


# ---- TLV ----

def varint(value):
    """RFC 9000 section 16, the shortest form."""
    for prefix, size in enumerate((1, 2, 4, 8)):
        if value < 1 << (8 * size - 2):
            return (value | prefix << (8 * size - 2)).to_bytes(size, "big")
    raise ValueError(value)


def take_varint(data, at):
    if at >= len(data):
        raise Malformed("varint cut off")
    size = 1 << (data[at] >> 6)
    if at + size > len(data):
        raise Malformed("varint cut off")
    value = int.from_bytes(data[at:at + size], "big")
    return value & ((1 << (8 * size - 2)) - 1), at + size


def tlv(tag, value):
    return bytes([tag]) + varint(len(value)) + value


def uint_bytes(value):
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


def encode_tlv(kind, fields):
    out = [bytes([TYPES[kind]])]
    for name, tag, form in FIELDS:
        if name not in fields:
            continue
        value = fields[name]
        if form == STR:
            out.append(tlv(tag, value.encode("utf-8")))
        elif form == UINT:
            out.append(tlv(tag, uint_bytes(value)))
        elif form == BOOL:
            out.append(tlv(tag, b"\x01" if value else b"\x00"))
        elif form == BODY:
            out.append(tlv(tag, value))
        else:
            out += [tlv(tag, bytes([len(n)]) + n + v) for n, v in value]
    return b"".join(out)


def decode_tlv(data):
    if not data:
        raise Malformed("empty message")
    kind = TYPE_NAMES.get(data[0], "type %d" % data[0])
    fields, at = {}, 1
    while at < len(data):
        tag = data[at]
        size, at = take_varint(data, at + 1)
        if size > len(data) - at:
            raise Malformed("field cut off")
        value, at = data[at:at + size], at + size
        name = field_of_tag(kind, tag)
        if name is None:
            continue
        if name == "headers":
            if not value or value[0] > len(value) - 1:
                raise Malformed("header cut off")
            cut = 1 + value[0]
            fields.setdefault("headers", []).append((value[1:cut], value[cut:]))
            continue
        if name in fields:
            raise Malformed("repeated field " + name)
        if KIND[name] == STR:
            fields[name] = value.decode("utf-8")
        elif KIND[name] == BODY:
            if at != len(data):
                raise Malformed("body is not the last field")
            fields[name] = value
        else:
            if not 1 <= size <= 8:
                raise Malformed("integer of %d bytes" % size)
            number = int.from_bytes(value, "big")
            fields[name] = bool(number) if KIND[name] == BOOL else number
    return kind, fields


# ---- JSON ----

def headers_to_json(headers):
    """A character stands for the byte of its number; a repeated field becomes an array."""
    out = {}
    for name, value in headers:
        name, value = name.decode("latin-1").lower(), value.decode("latin-1")
        if name not in out:
            out[name] = value
        elif isinstance(out[name], list):
            out[name].append(value)
        else:
            out[name] = [out[name], value]
    return out


def bytes_of(text):
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8")


def headers_from_json(members):
    out = []
    for name, value in members.items():
        for one in value if isinstance(value, list) else [value]:
            out.append((bytes_of(name.lower()), bytes_of(one)))
    return out


def encode_json(kind, fields):
    data = dict(fields)
    if "headers" in data:
        data["headers"] = headers_to_json(data["headers"])
    if "body" in data:
        data["body"] = base64.b64encode(data["body"]).decode()
    return json.dumps({"type": kind, "data": data}, separators=(",", ":"), ensure_ascii=False)


def body_from_json(value):
    return bytes(value) if isinstance(value, list) else base64.b64decode(value, validate=True)


def decode_json(text):
    message = json.loads(text)
    kind, fields = message["type"], {}
    if kind not in TYPES:
        return kind, {}
    for name, value in message.get("data", {}).items():
        if name not in KIND or value is None:
            continue
        if KIND[name] == HEADERS:
            value = headers_from_json(value)
        elif KIND[name] == BODY:
            value = body_from_json(value)
        fields[name] = value
    return kind, fields


def encode(tlv_form, kind, fields):
    return encode_tlv(kind, fields) if tlv_form else encode_json(kind, fields)


def decode(message):
    """By what the WebSocket library delivers: bytes are TLV, str is JSON."""
    return decode_tlv(message) if isinstance(message, bytes) else decode_json(message)
