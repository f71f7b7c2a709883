01                                              # Auth
02 0a 74 6f 6b 2d 33 66 39 61 32 63             # token "tok-3f9a2c"
03 08 61 64 69 74 2f 31 2e 30                   # agent "adit/1.0"
