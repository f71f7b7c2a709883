# ARMv8-A: Raspberry Pi 3 and later, MediaTek MT7622, Marvell ESPRESSObin.
CROSS     := aarch64-linux-gnu-
# All of it is within a megabyte: addresses in one instruction.
MARCH     := -mcpu=cortex-a53 -mcmodel=tiny -fno-pie -fno-pic -mno-outline-atomics \
             -mno-fix-cortex-a53-835769 -mno-fix-cortex-a53-843419
# The C library takes floats, and clears memory with vector registers.
NO_FPU    := -mgeneral-regs-only
LDMARCH   := -no-pie
LIBC      := musl
RUN       := qemu-aarch64-static -cpu cortex-a53
# Instructions have four bytes.
FLASH_MAX := 139264
# The tiny code model reaches 1 MB, memory included.
RAM_MAX   := 753664
POOL_KB   := 512
STACK_MAX := 16384
# Client certificates would put it over its budget.
MTLS      ?= no
# Compiled as a whole it is 8 KB smaller.
LTO       := -flto -ffat-lto-objects
FAST_OPT  := -O2
FAST_SRCS := src/codec/ws_mask.c
NO_FLOAT  := board/no_float.c
