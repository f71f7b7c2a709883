04                                              # HttpRequest
01 02 72 31                                     # id "r1"
07 03 47 45 54                                  # method "GET"
05 0d 2f 73 74 61 74 75 73 3f 61 6c 6c 3d 31    # url "/status?all=1"
08 18 04 68 6f 73 74 73 68 65 64 2e 74 75 6e 6e # header "host" "shed.tunnel.example"
65 6c 2e 65 78 61 6d 70 6c 65
08 0a 06 61 63 63 65 70 74 2a 2f 2a             # header "accept" "*/*"
