# x86_64 PC or small server, and the machine that everything is developed on.
CROSS     :=
MARCH     := -march=x86-64 -mtune=generic -fno-pie -fcf-protection=none
LDMARCH   := -no-pie
LIBC      := musl
RUN       :=
FLASH_MAX := 131072
RAM_MAX   := 1048576
# Six times faster for 47 bytes; BearSSL's AES-NI code gains nothing.
FAST_OPT  := -O2
FAST_SRCS := src/codec/ws_mask.c
FAST_BEAR :=
