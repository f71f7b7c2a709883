10                                              # HttpBody
01 02 72 33                                     # id "r3"
09 0b 64 61 74 61 3a 20 65 6e 64 0a 0a          # body, 11 bytes
