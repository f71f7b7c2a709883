09                                              # Stats
14 02 07 31                                     # requests_processed 1841
15 01 03                                        # requests_failed 3
16 08 ff ff ff ff ff ff ff ff                   # bytes_transferred 18446744073709551615
17 03 01 51 80                                  # uptime_seconds 86400
18 01 02                                        # reconnects 2
19 01 00                                        # streams_active 0
1a 01 26                                        # rtt_ms 38
