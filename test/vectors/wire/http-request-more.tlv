04                                              # HttpRequest
01 02 72 33                                     # id "r3"
07 03 50 55 54                                  # method "PUT"
05 09 2f 66 69 72 6d 77 61 72 65                # url "/firmware"
08 18 04 68 6f 73 74 73 68 65 64 2e 74 75 6e 6e # header "host" "shed.tunnel.example"
65 6c 2e 65 78 61 6d 70 6c 65
0a 01 01                                        # more true
09 06 00 01 02 fd fe ff                         # body, 6 bytes
