"""Where control goes after an instruction, for each kind of processor."""
import re

CONDITIONS = 'eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le'


class Flow:
    """What isa.Code knows of jumps and calls."""

    def flow(self, insn):
        """(kind, goes_on): kind is '', branch, call, indirect, ijump, return or save; goes_on, may
        the next instruction follow?"""
        return getattr(self, '_flow_' + {'x86_64': 'x86', 'i386': 'x86'}.get(
            self.machine, self.machine))(insn, insn.op, insn.args)

    @staticmethod
    def _flow_x86(insn, op, args):
        op = re.sub('^(bnd|notrack|rep|repz)$', '', op) or args.split()[0]
        if op.startswith('call'):
            # The kernel's entry, which has no stack of its own to speak of.
            return ('', True) if '%gs:' in args else \
                ('indirect' if '*' in args else 'call', True)
        if op.startswith('ret'):
            return 'return', False
        if op == 'jmp':
            return ('ijump' if '*' in args else 'branch'), False
        if op in ('hlt', 'ud2'):
            return '', False
        return ('branch' if op[0] == 'j' or op.startswith('loop') else ''), True

    @staticmethod
    def _flow_arm(insn, op, args):
        op = re.sub(r'\.[nw]$', '', op)
        sure = not re.search(f'.({CONDITIONS})$', op) or op in ('bls', 'teq')
        if re.match(f'b({CONDITIONS})?$|cbn?z$', op):
            return 'branch', op != 'b'
        if re.match(f'blx?({CONDITIONS})?$', op):
            return ('call' if insn.target is not None else 'indirect'), True
        if re.match(f'bx({CONDITIONS})?$', op):
            return ('return' if args == 'lr' else 'ijump'), not sure
        if op in ('tbb', 'tbh'):
            return 'ijump', False
        if re.match('(pop|ldm)', op) and re.search(r'\bpc\}', args):
            return 'return', not sure
        if re.match(r'(ldr|mov|add|sub)', op) and re.match(r'pc\b', args):
            back = '[sp]' in args or args == 'pc, lr'
            return ('return' if back else 'ijump'), not sure
        return '', not op.startswith('udf')

    @staticmethod
    def _flow_aarch64(insn, op, args):
        kinds = {'b': 'branch', 'br': 'ijump', 'ret': 'return', 'brk': '', 'udf': ''}
        if op in kinds:
            return kinds[op], False
        if op in ('bl', 'blr'):
            return {'bl': 'call', 'blr': 'indirect'}[op], True
        return ('branch' if re.match(r'b\.|cbn?z|tbn?z', op) else ''), True

    @staticmethod
    def _flow_mips(insn, op, args):
        if op in ('jal', 'jalx', 'bal'):
            return 'call', True
        if op in ('jalr', 'jalrc'):
            return 'indirect', True
        if op in ('jr', 'jrc'):
            return ('return' if args == 'ra' else 'ijump'), False
        if op in ('j', 'b'):
            return 'branch', False
        return ('branch' if re.match(r'b[a-z0-9]+$', op) and op != 'break' else ''), True

    @staticmethod
    def _flow_ppc(insn, op, args):
        op = op.rstrip('+-')
        if op in ('blr', 'rfi'):
            return 'return', False
        if op in ('bctr', 'b'):
            return ('ijump' if op == 'bctr' else 'branch'), False
        if op in ('bl', 'bctrl'):
            return ('call' if op == 'bl' else 'indirect'), True
        if op == 'bcl':
            return '', True
        if re.match(r'b[a-z]+lr$', op):
            return 'return', True
        return ('branch' if op[0] == 'b' and insn.target is not None else ''), True

    @staticmethod
    def _flow_riscv(insn, op, args):
        if op == 'ret':
            return 'return', False
        if op == 'jal':
            return ('save' if args.startswith('t0,') else 'call'), True
        if op == 'jalr':
            return 'indirect', True
        if op == 'jr':
            return ('return' if args in ('t0', 'ra') else 'ijump'), False
        if op == 'j':
            return 'branch', False
        return ('branch' if op[0] == 'b' else ''), op not in ('ebreak', 'unimp')

    def delayed(self, insn):
        """Is the next instruction carried out before control goes?"""
        if self.machine != 'mips' or self.flow(insn)[0] == '':
            return False
        return not insn.short or insn.op in ('jal', 'jalx', 'jr', 'jalr')
