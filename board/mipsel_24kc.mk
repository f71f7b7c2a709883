# Little-endian MIPS32r2 without an FPU: MediaTek MT7620, MT7621, MT7628 and the emulated Malta. The
# same as the big-endian one but for that.
include board/mips_24kc.mk
CROSS     := mipsel-linux-gnu-
MARCH     := $(subst -EB,-EL,$(MARCH))
LDMARCH   := $(subst -EB,-EL,$(LDMARCH))
RUN       := qemu-mipsel-static -cpu 24Kc
