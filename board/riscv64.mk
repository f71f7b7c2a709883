# 64-bit RISC-V, its FPU left alone: StarFive JH7110, Allwinner D1, SiFive.
CROSS     := riscv64-linux-gnu-
MARCH     := -march=rv64imac -mabi=lp64 -mcmodel=medlow -fno-pie -fno-pic
LDMARCH   := -march=rv64imac -mabi=lp64 -no-pie
LIBC      := musl
RUN       := qemu-riscv64-static -cpu rv64
FLASH_MAX := 131072
RAM_MAX   := 2326528
POOL_KB   := 2048
STACK_MAX := 16384
# Functions share the code that saves registers.
COMPACT   := -msave-restore
# libgcc's objects are marked "double-float": byte 48 of an ELF-64 header has the mark in its bits
# 1 and 2. Of the integer helpers it is not true.
RT_MARK   := 48 1
FAST_OPT  := -O2
FAST_SRCS := src/codec/ws_mask.c
NO_FLOAT  := board/no_float.c
