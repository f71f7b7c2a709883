04                                              # HttpRequest
01 02 72 32                                     # id "r2"
07 04 50 4f 53 54                               # method "POST"
05 04 2f 73 65 74                               # url "/set"
08 18 04 68 6f 73 74 73 68 65 64 2e 74 75 6e 6e # header "host" "shed.tunnel.example"
65 6c 2e 65 78 61 6d 70 6c 65
08 11 0e 63 6f 6e 74 65 6e 74 2d 6c 65 6e 67 74 # header "content-length" "11"
68 31 31
09 0b 6c 61 6d 70 3d 6f 6e 26 76 3d 31          # body, 11 bytes
