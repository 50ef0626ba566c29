"""Evidence of one kind a file: what two records say about it, and how probable that is for one person and for two."""
