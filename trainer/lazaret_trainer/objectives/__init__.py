"""Training objectives, one file and one loop each."""
