07                                              # Pong
10 04 69 55 b9 00                               # timestamp 1767225600
