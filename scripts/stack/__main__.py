"""The deepest stack of a program, from its code: python3 scripts/stack [-v] PROGRAM [TABLE]

Reads the frames and the calls of the linked program (with symbols) as objdump shows them, so that
the C library, BearSSL, assembly and what the linker made of it all count, whichever compiler and
options built it. Prints the bytes of the deepest way; with -v that way. OBJDUMP is the board's.

Calls through pointers are in TABLE (targets.txt beside this file). The tool fails, and says why,
 - when a function without a line there calls through a pointer;
 - when a function whose address is taken is called by nothing, and no line's target;
 - when functions call each other in a ring; when a depth cannot be told (alloca, a VLA).
"""
import argparse
import os
import re
import subprocess
import sys
from bisect import bisect_right

from elf import Elf
from isa import Code, Unknown
from walk import Frame, Walk

# What the kernel puts below the stack pointer for a handler: sizeof its struct rt_sigframe; on
# x86-64 what AT_MINSIGSTKSZ says with AVX-512.
SIGNAL_FRAME = {'x86_64': 3632, 'i386': 2900, 'arm': 900, 'aarch64': 4720, 'mips': 700,
                'ppc': 1800, 'riscv': 1100}


# Words of the table that are no targets.
MARKS = {'switch', 'signal', 'again', 'dead'}


def base(name):
    """A function's name without what the compiler adds to a copy (.constprop.0, .isra.0)."""
    return name.split('.')[0] if not name.startswith('.') else name


class Table:
    """caller: {words}; @group: {words}."""

    def __init__(self, path):
        self.lines = {}
        with open(path, encoding='ascii') as file:
            for line in file:
                line = line.split('#')[0]
                if ':' in line:
                    last, _, line = line.partition(':')
                    last = last.split()
                for key in last if line.strip() else []:
                    self.lines.setdefault(key, set()).update(line.split())

    def words(self, key):
        found = set()
        for word in self.lines.get(key, ()):
            found |= self.words(word) if word.startswith('@') else {word}
        return found

    def all_words(self):
        return set().union(*map(self.words, self.lines)) if self.lines else set()


class Program:
    def __init__(self, path, table):
        self.elf, self.table, self.problems = Elf(path), table, []
        objdump = os.environ.get('OBJDUMP', 'objdump')
        text = subprocess.run([objdump, '-dw', path], check=True, stdout=subprocess.PIPE,
                              universal_newlines=True).stdout
        self.code = Code(self.elf, text)
        self.starts = sorted(self.elf.functions)
        self.by_name = {}
        for start, names in self.elf.functions.items():
            for name in names:
                self.by_name.setdefault(base(name), set()).add(start)
        self.frames = {}
        self.needs, self.cuts = {}, 0
        self.reached = set()
        self._walk_all()

    def name(self, start):
        return self.elf.functions[start][0]

    def words(self, start):
        return set().union(*(self.table.words(base(n)) for n in self.elf.functions[start]))

    def _walk_all(self):
        # A function returns when it has a way to; what calls only those that do not, does not.
        returning = set()
        while True:
            before = len(returning)
            for index, start in enumerate(self.starts):
                end = self.starts[index + 1] if index + 1 < len(self.starts) else 1 << 64
                self._walk(start, end, returning)
            if len(returning) == before:
                return

    def _walk(self, start, end, returning):
        switch = 'switch' in self.words(start)
        walk = Walk(self.code, start, end, returning.__contains__,
                    lambda depth: depth == self.code.entry and not switch)
        try:
            self.frames[start] = walk.run()
        except (Unknown, IndexError, KeyError, TypeError, ValueError) as error:
            self.frames[start] = error
            returning.add(start)
            return
        if self.frames[start].returns:
            returning.add(start)

    # ---- the deepest way -----------------------------------------------------------------------

    def targets(self, start):
        """Where a function's calls through pointers go."""
        words = self.words(start) - MARKS
        found = set().union(*(self.by_name.get(w, set()) for w in words)) if words else set()
        if not words and 'nothing' not in words:
            self.problems.append(f'{self.name(start)} calls through a pointer, and has no line')
        elif not found and words != {'nothing'}:
            self.problems.append(f'{self.name(start)}: none of its targets is in the program')
        return found

    def need(self, start, ring=()):
        """(bytes, way) of a function with all that it calls."""
        if start in self.needs:
            return self.needs[start]
        again = 'again' in self.words(start)
        if ring.count(start) > again:
            self.cuts += 1
            if not again:
                names = ' > '.join(map(self.name, ring[ring.index(start):] + (start,)))
                self.problems.append(f'a ring of calls: {names}')
            return 0, ()
        cuts = self.cuts
        result = self._need(start, ring + (start,))
        # What was cut short is not the whole answer for others.
        if cuts == self.cuts:
            self.needs[start] = result
        return result

    def _need(self, start, ring):
        frame = self.frames[start]
        self.reached.add(start)
        if isinstance(frame, Exception):
            self.problems.append(f'{self.name(start)}: {frame}')
            return 0, ()
        worst = frame.depth, ((start, frame.depth),)
        for call in frame.calls:
            taken = call.depth - (self.code.entry if call.tail else 0)
            for target in [call.target] if call.target is not None else self.targets(start):
                worst = max(worst, self._with(start, taken, *self.need(target, ring)))
        if 'signal' in self.words(start):
            taken = frame.depth + SIGNAL_FRAME[self.code.machine]
            for handler in self.targets(start):
                worst = max(worst, self._with(start, taken, *self.need(handler, ring)))
        return worst

    @staticmethod
    def _with(start, taken, below, way):
        return taken + below, ((start, taken),) + way

    # ---- what nobody may forget ----------------------------------------------------------------

    def check_taken(self):
        """A function that only pointers lead to must be some call's target."""
        taken = set(self.elf.words())
        for insn in self.code.insns.values():
            if self.code.flow(insn)[0] == '':
                taken.add(insn.target)
                taken.update(int(word, 16) for word in re.findall(r'\$0x([0-9a-f]+)', insn.args))
                # Constants among the code; those of the linker's veneers are no pointers.
                if insn.op.startswith(('ldr', 'lw')) and not re.match('ip|pc', insn.args):
                    taken.add(insn.target and self.elf.word_at(insn.target))
        taken = {self.elf.pointers[word] for word in taken if word in self.elf.pointers}
        known = self.table.all_words()
        for start in sorted(taken - self.reached):
            if not known & set(map(base, self.elf.functions[start])):
                self.problems.append(f'{self.name(start)}: its address is taken, but no line has '
                                     'it as a target')

    def check_reached(self):
        """Calls that no way leads to would not count."""
        for start in self.reached - self.code.saves:
            if isinstance(self.frames[start], Frame) and 'dead' not in self.words(start):
                index = bisect_right(self.starts, start)
                end = self.starts[index] if index < len(self.starts) else start + (1 << 20)
                for addr in self.code.within(start, end):
                    kind = self.code.flow(self.code.insns[addr])[0]
                    if addr not in self.frames[start].seen and kind in ('call', 'indirect'):
                        self.problems.append(f'{self.name(start)}: nothing leads to its call at '
                                             f'{addr:x}')

    def deepest(self):
        return self.need(self.elf.entry)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(prog='stack')
    parser.add_argument('-v', action='store_true', help='print the way too')
    parser.add_argument('program')
    parser.add_argument('table', nargs='?', default=os.path.join(here, 'targets.txt'))
    options = parser.parse_args()
    program = Program(options.program, Table(options.table))
    worst, way = program.deepest()
    program.check_taken()
    program.check_reached()
    print(worst)
    if options.v:
        for start, taken in way:
            print(f'{taken:7} {program.name(start)}')
    for problem in dict.fromkeys(program.problems):
        print(f'stack: {problem}', file=sys.stderr)
    return 1 if program.problems else 0


sys.exit(main())
