# OpenWrt's name for PCs and virtual machines: the same as the development machine.
include board/host.mk
