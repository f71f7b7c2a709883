# make BR2_EXTERNAL=/path/to/adit/board/buildroot menuconfig
include $(sort $(wildcard $(BR2_EXTERNAL_ADIT_PATH)/package/*/*.mk))
