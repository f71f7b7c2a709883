"""The parts of a program's ELF file that stack.py needs: symbols, data, machine."""
import re
import struct

MACHINES = {3: 'i386', 8: 'mips', 20: 'ppc', 40: 'arm', 62: 'x86_64', 183: 'aarch64', 243: 'riscv'}
FUNCTION, CODE, ALLOC, NOBITS, SYMTAB = 2, 4, 2, 8, 2
MIPS16 = 0xf0


class Elf:
    """machine; entry; functions: {address: [name...]}; pointers: {what points to it: address}, as
    the lowest bit says Thumb or MIPS16."""

    def __init__(self, path):
        with open(path, 'rb') as file:
            self.bytes = file.read()
        wide = self.bytes[4] == 2
        self.order = '<' if self.bytes[5] == 1 else '>'
        self.word_size = 8 if wide else 4
        self.machine = MACHINES[self._unpack('H', 18)[0]]
        start, = self._unpack('Q', 40) if wide else self._unpack('I', 32)
        count, = self._unpack('H', 60 if wide else 48)
        header = 'IIQQQQIIQQ' if wide else 'IIIIIIIIII'
        size = struct.calcsize(self.order + header)
        self.entry = self._unpack('Q' if wide else 'I', 24)[0]
        self.sections = [self._unpack(header, start + i * size) for i in range(count)]
        self.functions, self.pointers = {}, {}
        if self.machine in ('arm', 'mips'):
            self.entry &= ~1
        for section in self.sections:
            if section[1] == SYMTAB:
                self._read_symbols(section, wide)

    def _unpack(self, what, offset):
        return struct.unpack_from(self.order + what, self.bytes, offset)

    def _read_symbols(self, section, wide):
        names = self.sections[section[6]][4]
        what = 'IBBHQQ' if wide else 'IIIBBH'
        size = struct.calcsize(self.order + what)
        for at in range(section[4], section[4] + section[5], size):
            fields = self._unpack(what, at)
            name, info, other, home, value = fields[:5] if wide else \
                (fields[0], *fields[3:], fields[1])
            if self.machine == 'mips' and other & MIPS16 == MIPS16:
                value |= 1
            if not 0 < home < len(self.sections) or not self.sections[home][2] & CODE:
                continue
            end = self.bytes.index(b'\0', names + name)
            text = self.bytes[names + name:end].decode()
            # A global label without a type is assembly's function.
            if info & 15 == FUNCTION or info & 15 == 0 and info >> 4 != 0:
                self._add(value, text)

    def _add(self, value, name):
        pointer = value
        if self.machine in ('arm', 'mips'):
            value &= ~1
        # No functions: the second part of one that the compiler has split, MIPS16's tables and
        # constants and what follows them, a section's beginning.
        if not re.search(r'\.cold|^\$|^__(jump|jend|pool|pend)_|^_f(text|data)$', name):
            self.functions.setdefault(value, []).append(name)
            self.pointers[pointer] = value

    def word_at(self, address, size=4):
        """The word that is at an address of the program, None outside."""
        for section in self.sections:
            base, offset, length = section[3], section[4], section[5]
            if base <= address < base + length and section[1] != NOBITS and base:
                return self._unpack('I' if size == 4 else 'Q', offset + address - base)[0]
        return None

    def byte_at(self, address):
        for section in self.sections:
            base, offset, length = section[3], section[4], section[5]
            if base <= address < base + length and section[1] != NOBITS and base:
                return self.bytes[offset + address - base]
        return None

    def words(self):
        """Every aligned word of the data."""
        size = self.word_size
        for section in self.sections:
            if section[2] & (ALLOC | CODE) == ALLOC and section[1] != NOBITS and section[3]:
                skip = -section[3] % size
                for at in range(section[4] + skip, section[4] + section[5] - size + 1, size):
                    yield self._unpack('I' if size == 4 else 'Q', at)[0]
