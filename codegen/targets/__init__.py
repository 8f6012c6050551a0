"""Array program -> lines of source: one file a target, a table op -> source text."""
