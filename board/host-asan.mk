# The development machine with its own C library, under AddressSanitizer and UBSan. For tests only.
CROSS     :=
MARCH     := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
             -DADIT_CHECKS
LDMARCH   := -fsanitize=address,undefined
LIBC      := native
# BearSSL reads words of x86-64 at odd addresses on purpose.
BEAR_DEFS := -DBR_LE_UNALIGNED=0
RUN       :=
FLASH_MAX :=
RAM_MAX   :=
