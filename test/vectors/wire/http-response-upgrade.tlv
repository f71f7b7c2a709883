05                                              # HttpResponse
01 02 72 34                                     # id "r4"
0f 01 65                                        # status 101
08 12 0a 63 6f 6e 6e 65 63 74 69 6f 6e 75 70 67 # header "connection" "upgrade"
72 61 64 65
08 11 07 75 70 67 72 61 64 65 77 65 62 73 6f 63 # header "upgrade" "websocket"
6b 65 74
08 31 14 73 65 63 2d 77 65 62 73 6f 63 6b 65 74 # header "sec-websocket-accept" "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
2d 61 63 63 65 70 74 73 33 70 50 4c 4d 42 69 54
78 61 51 39 6b 59 47 7a 7a 68 5a 52 62 4b 2b 78
4f 6f 3d
0a 01 01                                        # more true
