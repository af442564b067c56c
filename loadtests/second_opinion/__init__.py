"""One closed load measured by wrk as well, in turn with our generator: do they agree?"""
