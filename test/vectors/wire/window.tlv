11                                              # Window
01 02 72 33                                     # id "r3"
12 02 80 00                                     # credit 32768
