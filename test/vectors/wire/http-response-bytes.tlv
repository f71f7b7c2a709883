05                                              # HttpResponse
01 07 e2 82 ac f0 9f 94 91                      # id "\xe2\x82\xac\xf0\x9f\x94\x91"
0f 01 c8                                        # status 200
08 2f 13 63 6f 6e 74 65 6e 74 2d 64 69 73 70 6f # header "content-disposition" "attachment; filename="caf\xe9""
73 69 74 69 6f 6e 61 74 74 61 63 68 6d 65 6e 74
3b 20 66 69 6c 65 6e 61 6d 65 3d 22 63 61 66 e9
22
08 08 07 78 2d 65 6d 70 74 79                   # header "x-empty" ""
09 00                                           # body, 0 bytes
