# x86_64 PC or small server, and the machine that everything is developed on.
CROSS     :=
MARCH     := -march=x86-64 -mtune=generic -fno-pie -fcf-protection=none
LDMARCH   := -no-pie
LIBC      := musl
RUN       :=
# x86-64 has two of each cipher, one for processors without AES-NI.
FLASH_MAX := 147456
RAM_MAX   := 409600
# Six times faster for 47 bytes; BearSSL's AES-NI code gains nothing.
FAST_OPT  := -O2
FAST_SRCS := src/codec/ws_mask.c
FAST_BEAR :=
