08                                              # Error
06 11 74 6f 6f 20 6d 61 6e 79 20 6d 65 73 73 61 # error "too many messages"
67 65 73
11 02 01 ad                                     # code 429
