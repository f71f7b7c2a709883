# x86_64 PC or small server, and the machine that everything is developed on.
CROSS     :=
MARCH     := -march=x86-64 -mtune=generic -fno-pie -fcf-protection=none
LDMARCH   := -no-pie
LIBC      := musl
RUN       :=
FLASH_MAX := 131072
RAM_MAX   := 1048576
# What a body byte passes through is built for speed, all else for size.
FAST_SRCS := src/codec/ws_mask.c
FAST_BEAR := aes_x86ni aes_x86ni_ctr aes_x86ni_ctrcbc ghash_pclmul chacha20_sse2 poly1305_ctmulq
