"""The page that lists everything in a results folder."""
