03                                              # AuthError
06 0d 75 6e 6b 6e 6f 77 6e 20 74 6f 6b 65 6e    # error "unknown token"
0e 02 01 2c                                     # retry_after 300
