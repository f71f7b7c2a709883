"""What machine code does to the stack pointer, instruction by instruction.

An instruction is read as objdump prints it. Depth: bytes between the stack pointer and where it
was when the function was called; a call instruction that pushes the return address (x86) counts
for the function that is called, as it does in gcc's -fstack-usage.
"""
import re
from bisect import bisect_left
from collections import namedtuple

from flow import CONDITIONS, Flow

Insn = namedtuple('Insn', 'addr next op args target short')

# Helpers of the compiler that no one returns from as a function does: the shared ends of
# functions, and those that look up a switch's table.
END = re.compile(r'__riscv_restore_\d+$|_rest(gpr|32gpr|gpr0|gpr1)_\d+(_x)?$')
TABLE = re.compile(r'__gnu_thumb1_case_')
SAVE = re.compile(r'__riscv_save_(\d+)$')
# Instructions that write no register that they name first (x86: last).
READS = re.compile(r'st|s[bhwd]$|push|cmp|cm[np]|tst|test|mt')
# What is lost at most where a program begins and aligns its stack.
ALIGN = 15


class Unknown(Exception):
    """The depth of a function cannot be told."""


def number(text):
    """The first operand that is a number, without objdump's # or $; None without one."""
    match = re.match(r'[#$]?(-?(?:0x)?[0-9a-f]+)$', text.strip())
    try:
        return int(match.group(1), 0) if match else None
    except ValueError:
        return None


def signed(value, bits):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def registers(text):
    """How many are in {r4, r5-r7, lr}."""
    count = 0
    names = {'sl': 10, 'fp': 11, 'ip': 12, 'sp': 13, 'lr': 14, 'pc': 15}
    for part in re.search(r'\{(.*)\}', text).group(1).split(','):
        ends = [names.get(e, None) if e in names else int(e[1:]) for e in part.strip().split('-')]
        count += ends[-1] - ends[0] + 1
    return count


class Code(Flow):
    """The code of one program. machine: x86_64, i386, arm, aarch64, mips, ppc, riscv."""

    def __init__(self, elf, text):
        self.machine, self.word_at = elf.machine, elf.word_at
        self.bits = 8 * elf.word_size
        self.entry = {'x86_64': 8, 'i386': 4}.get(self.machine, 0)
        self.starts = elf.functions
        self.ends = self._named(END)
        self.tables = self._named(TABLE)
        self.saves = self._named(SAVE)
        self.insns = {}
        self._read(text)
        self.order = sorted(self.insns)
        self.popped = self._popped()

    def _named(self, pattern):
        return {a for a, names in self.starts.items() if any(map(pattern.match, names))}

    def _read(self, text):
        line = re.compile(r'^\s*([0-9a-f]+):\t([0-9a-f ]+?)\s*\t(\S+)\s*(.*)$')
        for match in filter(None, map(line.match, text.splitlines())):
            addr, raw, op, args = match.groups()
            if op.startswith('.'):
                continue
            size = len(raw.replace(' ', '')) // 2
            label = re.search(r'([0-9a-f]+) <([^>]*)>', args)
            target = int(label.group(1), 16) if label else None
            args = re.sub(r'\s*(<.*|[@;] .*|# .*|// .*)$', '', args)
            addr = int(addr, 16)
            if (op, args) == ('bx', 'pc'):
                # Thumb goes on as ARM code.
                op, target = 'b', (addr & ~3) + 4
            if op == 'bx' and re.match(r'r\d$', args) and self._popped_lately(args):
                args = 'lr'
            self.insns[addr] = Insn(addr, addr + size, op, args, target, len(raw.split()[0]) == 4)

    def _popped_lately(self, register):
        """Thumb's way back from a function with arguments on the stack: pop {r3}; bx r3."""
        last = list(self.insns.values())[-4:]
        return any(i.op == 'pop' and register in i.args for i in last)

    def _popped(self):
        """i386: what a function takes off the stack beside its return address."""
        found = {}
        for insn in self.insns.values():
            if self.machine == 'i386' and insn.op.startswith('ret') and insn.args:
                start = max(s for s in self.starts if s <= insn.addr)
                found[start] = number(insn.args)
        return found

    def within(self, start, end):
        """The addresses of the instructions from start on, before end."""
        return self.order[bisect_left(self.order, start):bisect_left(self.order, end)]

    def saved(self, target, depth):
        """What RISC-V's shared beginnings take: (at most, in the end). libgcc's save-restore.S."""
        count = next(int(m.group(1)) for m in map(SAVE.match, self.starts[target]) if m)
        word = self.bits // 8
        taken = (word * (count + 1) + 15) // 16 * 16
        return depth + (14 * word if count > 3 else taken), depth + taken

    # ---- constants in registers, of which large frames are made --------------------------------

    def learn(self, insn, known):
        op, args = insn.op.split('.')[0], [a.strip() for a in insn.args.split(',')]
        reg, last = args[0].lstrip('%'), number(args[-1])
        first = args[1] if len(args) > 1 else ''
        base = known.get(first if len(args) > 2 else reg)
        if op in ('li', 'mov', 'movs', 'movw', 'movl', 'lui', 'lis') and last is not None:
            shift = {'lis': 16, 'lui': 12 if self.machine == 'riscv' else 16}.get(op, 0)
            known[reg] = signed(last << shift, 32)
        elif op in ('ldr', 'lw') and insn.target is not None:
            known[reg] = self.word_at(insn.target)
        elif op in ('movk', 'movt') and reg in known:
            shift = 16 if op == 'movt' else int((re.findall(r'lsl #(\d+)', insn.args) or [0])[0])
            known[reg] |= number(args[1]) << shift
        elif base is not None and last is not None and \
                op in ('add', 'adds', 'addi', 'addiu', 'ori', 'lsls', 'sll', 'sub', 'subs'):
            if op in ('lsls', 'sll'):
                known[reg] = base << last
            else:
                known[reg] = base - last if op.startswith('sub') else base + last
        elif op in ('negs', 'neg', 'rsbs') and first in known:
            known[reg] = -known[first]
        elif not op.startswith('st') and op not in ('sw', 'sd', 'cmp'):
            known.pop(reg, None)

    def value(self, text, known):
        """An operand's value, signed; Unknown when it is no constant."""
        value = number(text)
        if value is None:
            value = known.get(text.strip())
        if value is None:
            raise Unknown(f'the stack pointer moves by {text}')
        return signed(value, self.bits)

    # ---- what it does to the stack pointer -----------------------------------------------------

    def step(self, insn, depth, known, frame):
        """The depth after it. known: constants; frame: the depth that a frame pointer keeps."""
        op = re.sub(r'\.[nw]$', '', insn.op)
        args = [a.strip() for a in insn.args.split(',')]
        family = {'x86_64': 'x86', 'i386': 'x86'}.get(self.machine, self.machine)
        written = args[-1] if family == 'x86' else args[0]
        kept = frame.get(written) if READS.match(op) is None else None
        after = getattr(self, '_step_' + family)(op, args, insn, depth, known, frame)
        # A register that is written no longer keeps a depth, unless it moved by a constant.
        if kept is not None and frame.get(written) == kept:
            last = args[0] if family == 'x86' else args[-1]
            moved = known.get(last) if number(last) is None else number(last)
            own = len(args) < 3 or args[1] == written
            if op[:3] in ('add', 'sub') and moved is not None and own:
                moved = signed(moved, self.bits)
                frame[written] = kept - moved if op[:3] == 'add' else kept + moved
            elif not self._sets(op, args, family):
                del frame[written]
        return after

    @staticmethod
    def _sets(op, args, family):
        """Does it put what it reads of the stack pointer into a register?"""
        source = args[0] if family == 'x86' else args[1] if len(args) > 1 else ''
        return source.strip('%') in ('sp', 'esp', 'rsp', 'r1') or 'sp)' in source

    def _step_x86(self, op, args, insn, depth, known, frame):
        word, sp, fp = self.bits // 8, '%rsp', '%rbp'
        if word == 4:
            sp, fp = '%esp', '%ebp'
        if op.startswith('push'):
            return depth + word
        if op == 'leave':
            return frame[fp] - word
        if args[-1] != sp:
            if op == 'mov' and args[0] == sp:
                frame[args[-1]] = depth
            elif op == 'lea' and args[0].endswith(f'({sp})'):
                frame[args[-1]] = depth - number(args[0].split('(')[0] or '0')
            return depth - word if op.startswith('pop') else depth
        if op == 'lea':
            base = re.search(r'\((%\w+)\)', args[0]).group(1)
            if base == sp:
                base = depth
            elif base in frame:
                base = frame[base]
            else:
                # Kept aside before the frame was aligned: the end of the function.
                return self.entry + word * self._pops_before_end(insn.next)
            return base - signed(number(args[0].split('(')[0] or '0'), self.bits)
        if op.startswith('and'):
            return depth + ALIGN
        if op[:3] in ('sub', 'add'):
            moved = self.value(args[0], known)
            return depth + moved if op[:3] == 'sub' else depth - moved
        if op == 'mov' and args[0] in frame:
            return frame[args[0]]
        if op[:3] in ('mov', 'pop', 'xch', 'xor'):
            return None
        return depth

    def _pops_before_end(self, addr):
        pops = 0
        while addr in self.insns and self.insns[addr].op == 'pop':
            pops, addr = pops + 1, self.insns[addr].next
        if addr not in self.insns or self.insns[addr].op not in ('ret', 'jmp'):
            raise Unknown('a frame pointer is not known')
        return pops

    def _step_arm(self, op, args, insn, depth, known, frame):
        if re.search(f'.({CONDITIONS})$', op) and re.match('pop|ldm|bx', op):
            return depth
        if op in ('push', 'vpush', 'pop', 'vpop') or \
                re.match('(stm|ldm)', op) and args[0] == 'sp!':
            size = registers(insn.args) * (8 if op[0] == 'v' else 4)
            return depth + size if re.match('v?push|stm', op) else depth - size
        if args[0] == 'sp' and op[:3] in ('add', 'sub'):
            moved = self.value(args[-1], known)
            return depth - moved if op[:3] == 'add' else depth + moved
        if args[0] == 'sp' and op[:3] in ('mov', 'ldm'):
            return frame.get(args[1]) if op[:3] == 'mov' else depth
        return self._step_indexed(op, args, insn, depth, frame)

    def _step_aarch64(self, op, args, insn, depth, known, frame):
        if args[0] == 'sp' and op in ('add', 'sub'):
            shift = 12 if args[-1] == 'lsl #12' else 0
            text = args[2] if len(args) > 2 else args[-1]
            if args[1] != 'sp':
                return frame.get(args[1])
            moved = self.value(text, known) << shift
            return depth - moved if op == 'add' else depth + moved
        if args[0] == 'sp' and op == 'mov':
            return frame.get(args[1])
        return self._step_indexed(op, args, insn, depth, frame)

    def _step_indexed(self, op, args, insn, depth, frame):
        """arm and aarch64: [sp, #-16]! and [sp], #16; a frame pointer."""
        before = re.search(r'\[sp, #(-?\d+)\]!', insn.args)
        after = re.search(r'\[sp\], #(-?\d+)', insn.args)
        if before or after:
            return depth - int((before or after).group(1))
        if len(args) > 1 and args[1] == 'sp':
            offset = number(args[-1]) if len(args) > 2 else 0
            if op.startswith(('mov', 'add')) and offset is not None:
                frame[args[0]] = depth - offset
        elif op == 'bic' and args[1] in frame:
            frame[args[0]] = frame[args[1]] + ALIGN
        return depth

    def _step_mips(self, op, args, insn, depth, known, frame):
        if op in ('save', 'restore'):
            size = next(n for n in map(number, args) if n is not None)
            return depth + size if op == 'save' else depth - size
        if args[0] != 'sp':
            if op in ('move', 'addiu') and args[1:2] == ['sp']:
                frame[args[0]] = depth - (number(args[2]) if len(args) > 2 else 0)
            return depth
        if op in ('addiu', 'addu', 'subu'):
            moved = self.value(args[-1], known)
            return depth + moved if op == 'subu' else depth - moved
        if op == 'move':
            return frame.get(args[1])
        if op == 'and':
            return depth + ALIGN
        return depth

    def _step_ppc(self, op, args, insn, depth, known, frame):
        if op == 'stwu' and args[1].endswith('(r1)'):
            return depth - number(re.match('(-?[0-9]+)', args[1]).group(1))
        if op == 'stwux' and args[1] == 'r1':
            return depth - self.value(args[-1], known)
        if args[0] != 'r1':
            if op == 'addi' and args[1] == 'r1':
                frame[args[0]] = depth - number(args[2])
            elif op == 'mr' and args[1] == 'r1':
                frame[args[0]] = depth
            elif op == 'lwz' and args[1] == '0(r1)':
                # The back chain: the ABI keeps the caller's stack pointer there.
                frame[args[0]] = 0
            return depth
        if op in ('addi', 'addic'):
            return (depth if args[1] == 'r1' else frame[args[1]]) - number(args[2])
        if op == 'lwz' and args[1] == '0(r1)':
            return 0
        if op == 'mr':
            return frame.get(args[1])
        if op.startswith('clr'):
            return depth + ALIGN
        return depth

    def _step_riscv(self, op, args, insn, depth, known, frame):
        if args[0] != 'sp':
            if op in ('add', 'addi', 'mv') and args[1:2] == ['sp']:
                offset = number(args[2]) if len(args) > 2 else 0
                if offset is not None:
                    frame[args[0]] = depth - offset
            return depth
        if op in ('add', 'addi', 'sub'):
            if args[1] != 'sp':
                return frame[args[1]] - number(args[2])
            moved = self.value(args[-1], known)
            return depth + moved if op == 'sub' else depth - moved
        if op == 'mv':
            return frame.get(args[1])
        if op in ('and', 'andi'):
            return depth + ALIGN
        return depth
