"""without.py CALL ARGUMENT ERRNO PROGRAM...: runs the program on a kernel that answers this system
call with this error, when its first argument is this one. Little-endian machines."""
import ctypes
import os
import struct
import sys

LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERROR = 0x7fff0000, 0x00050000
NO_NEW_PRIVS, SECCOMP, FILTER = 38, 22, 2


def main():
    call, argument, error = (int(word) for word in sys.argv[1:4])
    ops = [(LOAD, 0, 0, 0), (EQUAL, 0, 3, call), (LOAD, 0, 0, 16), (EQUAL, 0, 1, argument),
           (RETURN, 0, 0, ERROR | error), (RETURN, 0, 0, ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *op) for op in ops))
    program = struct.pack("HxxxxxxP", len(ops), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0) < 0 or libc.prctl(SECCOMP, FILTER, program, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "prctl")
    os.execv(sys.argv[4], sys.argv[4:])


main()
