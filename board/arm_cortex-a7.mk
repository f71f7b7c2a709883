# ARMv7-A, all in Thumb-2: Allwinner H3, Qualcomm IPQ40xx, NXP i.MX6UL.
CROSS     := arm-linux-gnueabi-
MARCH     := -mcpu=cortex-a7 -mthumb -mfloat-abi=soft -fno-pie -fno-pic
LDMARCH   := -no-pie
LIBC      := musl
RUN       := qemu-arm-static -cpu cortex-a7
FLASH_MAX := 131072
RAM_MAX   := 2326528
POOL_KB   := 2048
STACK_MAX := 16384
FAST_OPT  := -O2
FAST_SRCS := src/codec/ws_mask.c
FAST_BEAR := chacha20_ct poly1305_ctmul
NO_FLOAT  := board/no_float.c
