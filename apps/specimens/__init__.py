"""Well-known mistakes, each a healthy twin but for the lines that make it; run as arms."""
