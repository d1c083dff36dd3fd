"""The definitions: plain Python loops, to be read and stepped through."""
