# Big-endian PowerPC 4xx, its FPU left alone: AppliedMicro APM821xx (Western Digital My Book Live).
CROSS     := powerpc-linux-gnu-
MARCH     := -mcpu=464fp -msoft-float -mlong-double-64 -mmultiple -fno-pie -fno-pic
LDMARCH   := -no-pie
LIBC      := musl
RUN       := qemu-ppc-static -cpu 460exb
# All its instructions have four bytes, where the others have shorter ones or wider registers.
FLASH_MAX := 163840
RAM_MAX   := 393216
STACK_MAX := 16384
RUNTIME   := board/div64.c
# Compiled as a whole it is 8 KB smaller.
LTO       := -flto -ffat-lto-objects
FAST_OPT  := -O2
FAST_SRCS := src/codec/ws_mask.c
FAST_BEAR := chacha20_ct poly1305_ctmul
NO_FLOAT  := board/no_float.c
