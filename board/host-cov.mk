# The development machine, counting lines and branches for `make coverage`. For tests only.
CROSS     :=
MARCH     := -O0 -g --coverage -fprofile-abs-path
LDMARCH   := --coverage
LIBC      := native
RUN       :=
FLASH_MAX :=
RAM_MAX   :=
