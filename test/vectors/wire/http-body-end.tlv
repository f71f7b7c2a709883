10                                              # HttpBody
01 02 72 33                                     # id "r3"
