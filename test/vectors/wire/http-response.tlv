05                                              # HttpResponse
01 02 72 31                                     # id "r1"
0f 01 c8                                        # status 200
08 17 0c 63 6f 6e 74 65 6e 74 2d 74 79 70 65 74 # header "content-type" "text/plain"
65 78 74 2f 70 6c 61 69 6e
08 0e 0a 73 65 74 2d 63 6f 6f 6b 69 65 61 3d 31 # header "set-cookie" "a=1"
08 16 0a 73 65 74 2d 63 6f 6f 6b 69 65 62 3d 32 # header "set-cookie" "b=2; Path=/"
3b 20 50 61 74 68 3d 2f
09 09 61 6c 6c 20 77 65 6c 6c 0a                # body, 9 bytes
