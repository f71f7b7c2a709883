# The development machine under libFuzzer, AddressSanitizer and UBSan. For fuzz targets only.
CROSS     :=
CC        := clang-14
MARCH     := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
             -DADIT_CHECKS
LDMARCH   := -fsanitize=fuzzer,address,undefined
LIBC      := native
RUN       :=
FLASH_MAX :=
RAM_MAX   :=
