"""Several stored runs side by side: what differs between them, and what may be claimed."""
