"""What each part of a program costs: python3 -B scripts/cost.py PROGRAM [OBJECT...]

PROGRAM.debug is the program with debug information, PROGRAM.debug.map the linker's map of it, and
PROGRAM the stripped file (make DEBUG=yes). Every byte of the file goes to one part, by the source
that it comes from: code by the line table, inlined or not; data by the symbol; texts by the object
that holds them; what has none of these, as the C library, by the linker's map. What is left is the
rest. So the parts add up to the file, and likewise to the static memory. OBJECTs are those that
whole-program optimization has mixed. CROSS: the prefix of nm and readelf.
"""
import os
import re
import subprocess
import sys
from bisect import bisect_right
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "stack"))
from elf import ALLOC, CODE, NOBITS, Elf  # noqa: E402

ROOT = Path(__file__).parent.parent
CROSS = os.environ.get("CROSS", "")
LTO = re.compile(r"\.ltrans\d*\.|\.lto\.o$")
BEARSSL, LIBC, HELPERS, REST = "TLS: BearSSL", "C library: musl", "compiler's helpers", \
    "rest (headers, padding)"

# Part: files, or functions as FILE:FUNCTION, or members of struct agent as .MEMBER. Plain mode has
# none of these: it is a condition here and there in the session and the exchange.
PARTS = {
    BEARSSL: "",
    "TLS: records, suites, what failed": "transport tls_common tls_curves tls_client tls_text"
        " .tls .transport",
    "trust: X.509, pins": "trust der der_value san pem signature gateway_trust built_in"
        " .trust .floor .floor_kept .told_clock",
    "client certificates": "mtls .mtls",
    LIBC: "",
    HELPERS: "div64 no_float start",
    "DNS resolver, dialling": "dns_msg resolver resolv_conf dial ip uri local origin"
        " .dial .local .origin .local_next .local_down",
    "sockets, loop, clock, signals": "sock loop clock signals entropy .loop .entropy",
    "sandbox": "sandbox sandbox_filter",
    "log": "log err fmt",
    "options, --help": "options options_value config token identity file .config .target",
    "messages: JSON form": "json json_write wire_json wire_json_skip wire_json_value"
        " wire_put:json_put",
    "messages: TLV form": "wire_tlv varint",
    "messages: both forms": "wire wire_field wire_build wire_header wire_put wire_in wire_decode",
    "text: base64, UTF-8, slices": "base64 utf8 ascii buf",
    "WebSocket": "ws ws_head ws_mask ws_accept ws_close link_recv link_put upgrade .upgrade_key"
        " .upgrade_len",
    "session: streams, health": "session session_recv session_put session_agent goaway credit"
        " tunnel_io record .session .stream .next_url .counters .held .record_len",
    "statistics": "session_agent:put_stats agent:log_counters tunnel_io:log_counters",
    "HTTP": "http http_head http_field http_framing http_chunk http_body relay_pack relay_request",
    "exchange: requests": "exchange http_sender request response .exchange .shared .conn"
        " .next_exchange",
    "upload pool": "pool .block",
    "reconnect, main": "backoff connect agent main .backoff",
    "watchdog, service manager": "watchdog notify .watchdog .notify",
}


def tool(name, *arguments):
    return subprocess.run([CROSS + name, *map(str, arguments)], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def part_table():
    return {word: part for part, words in PARTS.items() for word in words.split()}


class Source:
    """Which part a line of a source is of."""

    def __init__(self):
        self.table = part_table()
        self.ours = {p.name: p for top in ("src", "include", "board") for p in
                     (ROOT / top).rglob("*.[ch]") if "gateway" not in p.parts}
        self.functions = {}

    def of_file(self, name):
        """`name` may be an object's, too."""
        stem = Path(name).stem
        if stem in self.table:
            return self.table[stem]
        return stem if Path(name).with_suffix(".c").name in self.ours or "test" in name else BEARSSL

    def of_line(self, name, line):
        if name not in self.functions:
            starts = []
            path = self.ours.get(name)
            for number, text in enumerate(path.open() if path else (), 1):
                match = re.match(r"[a-z].*?(\w+)\(", text)
                if match and not text.rstrip().endswith(";"):
                    starts.append((number, match[1]))
            self.functions[name] = starts
        starts = self.functions[name]
        at = bisect_right(starts, (line, "~")) - 1
        key = "%s:%s" % (Path(name).stem, starts[at][1]) if at >= 0 else ""
        return self.table.get(key) or self.of_file(name)


def of_object(path, source):
    name = Path(path.rstrip(")").split("(")[-1]).name
    if re.search(r"libc\.a|/crt[1in]\.o", path):
        return LIBC
    if re.search(r"librt_int\.a|libgcc", path):
        return HELPERS
    return BEARSSL if "libbearssl" in path else source.of_file(name)


class Program:
    def __init__(self, path, objects):
        self.source = Source()
        self.file_len = os.path.getsize(path)
        self.debug = str(path) + ".debug"
        self.elf = Elf(self.debug)
        # address: [part or None] of the sections that are loaded
        self.spans = [(s[3], s[5], s[1] == NOBITS, [None] * s[5]) for s in self.elf.sections
                      if s[2] & ALLOC and s[5]]
        self.texts = texts_of(objects, self.source)
        self.mixed = self.by_map()
        self.by_symbols(objects)
        self.by_lines()
        self.by_texts()

    def give(self, at, size, part, anew=True):
        for base, length, _, owners in self.spans:
            if base <= at < base + length and part:
                for i in range(at - base, min(at - base + size, length)):
                    if anew or owners[i] is None:
                        owners[i] = part

    def by_map(self):
        """Returns what was mixed: the ranges that no object has for itself."""
        mixed = []
        text = Path(self.debug + ".map").read_text(errors="replace")
        text = text[text.index("Linker script and memory map"):]
        for name, at, size, path in re.findall(
                r"^ (\.\S+|COMMON)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$", text, re.M):
            at, size = int(at, 16), int(size, 16)
            if LTO.search(path) or ".str1." in name:
                mixed.append((at, size))
            else:
                self.give(at, size, of_object(path, self.source))
        return mixed

    def by_symbols(self, objects):
        """Code and data that were mixed: by the line of the symbol, or the object that has it."""
        homes = {}
        for path in objects:
            for row in re.findall(r" OBJECT .* \d+ (\w+)", tool("readelf", "-sW", path)):
                homes.setdefault(row, self.source.of_file(path))
        for line in tool("nm", "-S", "-l", self.debug).splitlines():
            fields, _, place = line.partition("\t")
            if len(fields.split()) != 4:
                continue
            at, size, _, name = fields.split()
            at, size = int(at, 16), int(size, 16)
            name = name.split(".")[0]
            if name == "agent":
                self.by_members(at, size)
            elif any(a <= at < a + n for a, n in self.mixed):
                part = self.source.of_file(place.rpartition(":")[0]) if place else homes.get(name)
                self.give(at, size, part)

    def by_members(self, at, size):
        """The one struct that has all memory: by its members, as the debug information has them."""
        text = tool("readelf", "-wi", self.debug)
        start = re.search(r"DW_TAG_structure_type\)\n(?:.*DW_AT.*\n)*?.*DW_AT_name.*: agent\n",
                          text)
        if not start:
            return
        offsets = []
        for entry in re.split(r"\n <(?=\d)", text[start.end():])[1:]:
            if "DW_TAG_member" not in entry:
                break
            name = re.search(r"DW_AT_name.*?(\w+)\s*\n", entry)[1]
            offset = re.search(r"member_location: (0x[0-9a-f]+|\d+)", entry)[1]
            offsets.append((int(offset, 0), name))
        table = part_table()
        for (offset, name), (end, _) in zip(offsets, offsets[1:] + [(size, "")]):
            self.give(at + offset, end - offset, table.get("." + name, "reconnect, main"))

    def by_lines(self):
        before = None
        for row in re.findall(r"^(\S+)\s+(\d+|-)\s+0x([0-9a-f]+)", tool("readelf", "-wL",
                                                                      self.debug), re.M):
            at = int(row[2], 16)
            if before and before[1] != "-" and at > int(before[2], 16):
                start = int(before[2], 16)
                self.give(start, at - start, self.source.of_line(before[0], int(before[1])))
            before = row

    def by_texts(self):
        for at, size in self.mixed:
            for base, length, nobits, owners in self.spans:
                if not base <= at < base + length or nobits:
                    continue
                for i in range(at - base, at - base + size):
                    if owners[i] is None and (i == at - base or owners[i - 1] is not None or
                                              self.byte(base + i - 1) == 0):
                        self.by_text(base + i)

    def by_text(self, at):
        text = bytearray()
        while self.byte(at + len(text)):
            text.append(self.byte(at + len(text)))
        part = self.texts.get(bytes(text))
        self.give(at, len(text) + 1, part, anew=False)

    def byte(self, at):
        return self.elf.byte_at(at)

    def totals(self):
        flash, ram = {}, {}
        for base, length, nobits, owners in self.spans:
            writable = any(s[3] == base and s[2] & 1 for s in self.elf.sections if s[2] & ALLOC)
            for part in owners:
                if not nobits:
                    flash[part] = flash.get(part, 0) + 1
                if writable:
                    ram[part] = ram.get(part, 0) + 1
        flash[None] = self.file_len - sum(n for part, n in flash.items() if part)
        return flash, ram


def texts_of(objects, source):
    """Texts, and their ends, which the linker shares, of constants: {text: part}."""
    texts = {}
    for path in objects:
        elf = Elf(path)
        for section in elf.sections:
            if section[2] & (ALLOC | CODE) == ALLOC and section[1] != NOBITS:
                data = elf.bytes[section[4]:section[4] + section[5]]
                for text in data.split(b"\0"):
                    texts.setdefault(text, source.of_file(str(path)))
    return texts


def main():
    program, *objects = sys.argv[1:]
    flash, ram = Program(program, objects).totals()
    names = [part for part in PARTS if part in flash or part in ram]
    names += sorted(part for part in {*flash, *ram} - {*names, None})
    print("%-36s %8s %8s" % ("part", "flash", "ram"))
    for part in names + [None]:
        print("%-36s %8d %8d" % (part or REST, flash.get(part, 0), ram.get(part, 0)))
    print("%-36s %8d %8d" % ("total", sum(flash.values()), sum(ram.values())))


main()
