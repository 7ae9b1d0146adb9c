"""Takes contacts in: import jobs, their rows and chunks, and what became of each."""
