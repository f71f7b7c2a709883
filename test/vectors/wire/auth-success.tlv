02                                              # AuthSuccess
04 04 73 2d 38 31                               # session_id "s-81"
05 1c 68 74 74 70 73 3a 2f 2f 73 68 65 64 2e 74 # url "https://shed.tunnel.example/"
75 6e 6e 65 6c 2e 65 78 61 6d 70 6c 65 2f
0b 03 04 00 00                                  # window 262144
0d 04 69 55 b9 00                               # server_time 1767225600
