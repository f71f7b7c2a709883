# The development machine with its own C library, under AddressSanitizer and UBSan. For tests only.
CROSS     :=
MARCH     := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDMARCH   := -fsanitize=address,undefined
LIBC      := native
RUN       :=
FLASH_MAX :=
RAM_MAX   :=
