"""Whether two arms are twins still: same source, interface, work and answers, seen from outside."""
