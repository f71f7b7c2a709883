# Big-endian MIPS32r2 without an FPU: the classic router (Atheros AR71xx, QCA95xx).
CROSS     := mips-linux-gnu-
MARCH     := -EB -march=24kc -msoft-float -mno-shared -mplt -minterlink-mips16 \
             -fno-pic -fno-pie
# musl's assembler expects to be called through a register. Marked as position independent, the
# linker gives direct calls a stub that loads it; without the stub sigsetjmp crashes.
MUSL_AS   := -Wa,-KPIC
LDMARCH   := -EB -no-pie -msoft-float
LIBC      := musl
RUN       := qemu-mips-static -cpu 24Kc
FLASH_MAX := 131072
RAM_MAX   := 393216
STACK_MAX := 16384
# MIPS16e for all but the cryptography: a fifth of the agent.
COMPACT   := -mips16
PLAIN_BEAR := aes_ct aes_ct_enc aes_ct_ctr ghash_ctmul sha2small i31_montmul ec_p256_m31 \
              ec_c25519_m31
RUNTIME   := board/div64.c
# The way of a body byte: half the instructions for 1.1 KB.
FAST_OPT  := -O3
FAST_SRCS := src/codec/ws_mask.c
FAST_BEAR := chacha20_ct poly1305_ctmul
NO_FLOAT  := board/no_float.c
