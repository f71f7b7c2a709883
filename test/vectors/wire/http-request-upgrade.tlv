04                                              # HttpRequest
01 02 72 34                                     # id "r4"
07 03 47 45 54                                  # method "GET"
05 05 2f 6c 69 76 65                            # url "/live"
08 18 04 68 6f 73 74 73 68 65 64 2e 74 75 6e 6e # header "host" "shed.tunnel.example"
65 6c 2e 65 78 61 6d 70 6c 65
08 12 0a 63 6f 6e 6e 65 63 74 69 6f 6e 75 70 67 # header "connection" "upgrade"
72 61 64 65
08 11 07 75 70 67 72 61 64 65 77 65 62 73 6f 63 # header "upgrade" "websocket"
6b 65 74
08 18 15 73 65 63 2d 77 65 62 73 6f 63 6b 65 74 # header "sec-websocket-version" "13"
2d 76 65 72 73 69 6f 6e 31 33
08 2a 11 73 65 63 2d 77 65 62 73 6f 63 6b 65 74 # header "sec-websocket-key" "dGhlIHNhbXBsZSBub25jZQ=="
2d 6b 65 79 64 47 68 6c 49 48 4e 68 62 58 42 73
5a 53 42 75 62 32 35 6a 5a 51 3d 3d
0a 01 01                                        # more true
