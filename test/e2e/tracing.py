"""ptrace, as a debugger uses it: system calls of a program under test, on x86-64 and as root."""
import ctypes
import os
import platform

import pytest

X86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="registers of x86-64")

ATTACH, DETACH, GET, PUT, NEXT_CALL = 16, 17, 12, 13, 24
WALL = 0x40000000
# Numbers of system calls that a loop waits in.
WAITS = (23, 270)
ENOSYS = 38


class Registers(ctypes.Structure):
    """struct user_regs_struct of x86-64."""
    _fields_ = [(name, ctypes.c_ulonglong) for name in (
        "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
        "fs_base gs_base ds es fs gs").split()]


class Traced:
    """A process that stands still, until the block ends."""

    def __init__(self, pid):
        self.pid, self.regs = pid, Registers()
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self.libc.ptrace.restype = ctypes.c_long

    def ptrace(self, request, data=None):
        if self.libc.ptrace(request, self.pid, None, data) < 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def __enter__(self):
        self.ptrace(ATTACH)
        os.waitpid(self.pid, WALL)
        return self

    def __exit__(self, *_):
        self.ptrace(DETACH)

    def look(self):
        self.ptrace(GET, ctypes.byref(self.regs))
        return self.regs

    def change(self, register, value):
        setattr(self.regs, register, value)
        self.ptrace(PUT, ctypes.byref(self.regs))

    def next_stop(self):
        """Runs to the begin or the end of the next system call: its number, whether it begins, and
        its result."""
        self.ptrace(NEXT_CALL)
        os.waitpid(self.pid, WALL)
        result = ctypes.c_longlong(self.look().rax).value
        return self.regs.orig_rax, result == -ENOSYS, result

    def fail(self, call, error):
        """Runs until this system call has ended, and makes it a failed one."""
        while True:
            number, begins, _ = self.next_stop()
            if number == call and not begins:
                break
        self.change("rax", (1 << 64) - error)

    def run_past(self, condition):
        """Runs until a system call has ended for which condition(number, result) holds, then to
        where the process begins to wait again."""
        seen = False
        while True:
            number, begins, result = self.next_stop()
            if seen and begins and number in WAITS:
                return
            seen = seen or (not begins and condition(number, result))


def make_call(pid, number):
    """The process makes this system call instead of the one that it waits in."""
    with Traced(pid) as traced:
        regs = traced.look()
        regs.rip -= 2                          # back to the instruction `syscall`
        regs.rax, regs.orig_rax = number, (1 << 64) - 1
        traced.ptrace(PUT, ctypes.byref(regs))
