# x86_64 PC or small server, and the machine that everything is developed on.
CROSS     :=
MARCH     := -march=x86-64 -mtune=generic -fno-pie -fcf-protection=none
LDMARCH   := -no-pie
LIBC      := musl
RUN       :=
# Registers and addresses of 64 bits have prefixes and long displacements.
FLASH_MAX := 139264
RAM_MAX   := 2326528
POOL_KB   := 2048
STACK_MAX := 16384
# Eight bytes for each case of a switch: comparisons are smaller. A function of all that is called
# once has a stack that bytes do not reach across.
COMPACT   := -fno-jump-tables -fno-inline-functions-called-once
# Compiled as a whole it is 5 KB smaller.
LTO       := -flto -ffat-lto-objects
# Six times faster for 47 bytes; BearSSL's AES-NI code gains nothing.
FAST_OPT  := -O2
FAST_SRCS := src/codec/ws_mask.c
FAST_BEAR :=
