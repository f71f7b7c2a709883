10                                              # HttpBody
01 02 72 33                                     # id "r3"
0a 01 01                                        # more true
09 0c 64 61 74 61 3a 20 32 31 2e 35 0a 0a       # body, 12 bytes
