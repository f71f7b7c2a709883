02                                              # AuthSuccess
04 04 73 2d 38 31                               # session_id "s-81"
