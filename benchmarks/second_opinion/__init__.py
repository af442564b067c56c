"""Our generator beside wrk on the twins: the same capacity, and the same difference of arms?"""
