# ARMv5TE without an FPU: Marvell Kirkwood, Freescale i.MX28, Microchip SAM9.
CROSS     := arm-linux-gnueabi-
MARCH     := -mcpu=arm926ej-s -mfloat-abi=soft -fno-pie -fno-pic
LDMARCH   := -no-pie
LIBC      := musl
RUN       := qemu-arm-static -cpu arm926
FLASH_MAX := 131072
RAM_MAX   := 393216
STACK_MAX := 16384
# Thumb for all but the cryptography: Thumb-1 has no long multiplication.
COMPACT   := -mthumb
PLAIN_BEAR := aes_ct aes_ct_enc aes_ct_ctr ghash_ctmul sha2small i31_montmul i31_muladd ccopy
FAST_OPT  := -O2
FAST_SRCS := src/codec/ws_mask.c
FAST_BEAR := chacha20_ct poly1305_ctmul
NO_FLOAT  := board/no_float.c
