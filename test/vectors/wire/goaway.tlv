12                                              # Goaway
05 1c 77 73 73 3a 2f 2f 62 2e 74 75 6e 6e 65 6c # url "wss://b.tunnel.example/_adit"
2e 65 78 61 6d 70 6c 65 2f 5f 61 64 69 74
13 02 13 88                                     # delay_ms 5000
