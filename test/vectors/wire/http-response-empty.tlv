05                                              # HttpResponse
01 02 72 32                                     # id "r2"
0f 01 cc                                        # status 204
