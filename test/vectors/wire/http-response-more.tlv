05                                              # HttpResponse
01 02 72 33                                     # id "r3"
0f 01 c8                                        # status 200
08 1e 0c 63 6f 6e 74 65 6e 74 2d 74 79 70 65 74 # header "content-type" "text/event-stream"
65 78 74 2f 65 76 65 6e 74 2d 73 74 72 65 61 6d
0a 01 01                                        # more true
