"""What `eingrad.check` is made of: shapes, arrays, and the laws they are put to."""
