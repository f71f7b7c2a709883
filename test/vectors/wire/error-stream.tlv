08                                              # Error
01 02 72 33                                     # request_id "r3"
06 16 6c 6f 63 61 6c 20 73 65 72 76 65 72 20 74 # error "local server timed out"
69 6d 65 64 20 6f 75 74
11 02 01 f8                                     # code 504
