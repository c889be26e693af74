"""Everything another Pi needs, but no recordings, in one file that was checked: made, kept for a while, put back."""
