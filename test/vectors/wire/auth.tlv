01                                              # Auth
02 0a 74 6f 6b 2d 33 66 39 61 32 63             # token "tok-3f9a2c"
03 08 61 64 69 74 2f 31 2e 30                   # agent "adit/1.0"
0b 03 01 00 00                                  # window 65536
0c 01 10                                        # max_streams 16
