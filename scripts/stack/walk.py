"""Follows one function along all its ways: how deep it goes, and what it calls where."""
from collections import namedtuple

from isa import Unknown

Call = namedtuple('Call', 'addr depth target tail')     # target None: through a pointer
Frame = namedtuple('Frame', 'depth calls returns seen')

# A way that always ends higher or lower than it began would never be told.
VISITS_MAX = 12


class Walk:
    """returns: may a function at this address return? (those that never do end a way)"""

    def __init__(self, code, start, end, returns, indirect_tail):
        self.code, self.start, self.end, self.may_return = code, start, end, returns
        self.indirect_tail = indirect_tail
        self.seen, self.visits, self.calls = {}, {}, {}
        self.deepest, self.returns, self.tables = code.entry, False, set()
        self.todo = [(start, code.entry, {})]

    def run(self):
        if self.start in self.code.saves:
            return Frame(0, [], True, {})
        self._drain()
        # A table's targets are what nothing else leads to.
        while self.tables:
            rest = self._unreached()
            if rest is None:
                break
            self.todo.append((rest, max(self.tables), {}))
            self._drain()
        return Frame(self.deepest, list(self.calls.values()), self.returns, self.seen)

    def _unreached(self):
        for addr in self.code.within(self.start, self.end):
            if addr not in self.seen:
                return addr
        return None

    def _drain(self):
        while self.todo:
            self._way(*self.todo.pop())

    def _way(self, addr, depth, frame):
        known = {}
        while addr in self.code.insns and self._enter(addr, depth):
            insn = self.code.insns[addr]
            kind, goes_on = self.code.flow(insn)
            addr = insn.next
            after = depth
            if self.code.delayed(insn) and addr in self.code.insns:
                slot = self.code.insns[addr]
                self.seen[addr] = max(depth, self.seen.get(addr, depth))
                after = self.code.step(slot, depth, known, frame)
                self.code.learn(slot, known)
                addr = slot.next
            if kind == '':
                after = self.code.step(insn, depth, known, frame)
                self.code.learn(insn, known)
            elif kind == 'save':
                peak, after = self.code.saved(insn.target, depth)
                self.deepest = max(self.deepest, peak)
            else:
                if kind in ('indirect', 'ijump'):
                    insn, kind = self._through_constant(insn, kind, known)
                goes_on = self._leave(insn, kind, after, frame) and goes_on
                after = self._after_call(insn, kind, after)
            if after is None:
                raise Unknown('the stack pointer is set to what cannot be told')
            if not goes_on:
                return
            depth = after
            self.deepest = max(self.deepest, depth)
            if addr in self.code.starts and addr != self.start:
                self._call(insn.addr, depth, addr, True)
                self.returns = self.returns or self.may_return(addr)
                return

    def _enter(self, addr, depth):
        if self.seen.get(addr, -1) >= depth:
            return False
        if depth < 0:
            raise Unknown(f'above its own beginning at {addr:x}')
        self.seen[addr] = depth
        self.visits[addr] = self.visits.get(addr, 0) + 1
        if self.visits[addr] > VISITS_MAX:
            raise Unknown(f'the depth at {addr:x} is never the same')
        self.deepest = max(self.deepest, depth)
        return True

    def _call(self, addr, depth, target, tail):
        old = self.calls.get((addr, target))
        if old is None or old.depth < depth:
            self.calls[addr, target] = Call(addr, depth, target, tail)

    def _leave(self, insn, kind, depth, frame):
        """Notes where control goes; does this way go on as far as the callee is concerned?"""
        if kind == 'return':
            self.returns = True
        elif kind == 'indirect':
            self._call(insn.addr, depth, None, False)
        elif kind == 'ijump':
            if self.indirect_tail(depth):
                self._call(insn.addr, depth, None, True)
                self.returns = True
            else:
                self.tables.add(depth)
        elif kind == 'branch' and insn.target in self.code.ends:
            self.returns = True
        elif kind == 'branch' and insn.target in self.code.starts and insn.target != self.start:
            self._call(insn.addr, depth, insn.target, True)
            self.returns = self.returns or self.may_return(insn.target)
        elif kind == 'branch':
            self.todo.append((insn.target, depth, dict(frame)))
        elif insn.target in self.code.tables:
            self.tables.add(depth)
            return False
        elif insn.target not in self.code.starts:
            # Only to learn where it is.
            self.todo.append((insn.target, depth + self.code.entry, dict(frame)))
            return False
        else:
            self._call(insn.addr, depth, insn.target, False)
            return self.may_return(insn.target)
        return True

    def _through_constant(self, insn, kind, known):
        """A pointer that was loaded just before is no pointer: the linker's veneers, MIPS."""
        target = known.get(insn.args)
        for address in () if target is None else (target, target & ~1):
            if address in self.code.starts:
                return insn._replace(target=address), 'call' if kind == 'indirect' else 'branch'
        return insn, kind

    def _after_call(self, insn, kind, depth):
        if kind == 'call':
            return depth - self.code.popped.get(insn.target, 0)
        return depth
