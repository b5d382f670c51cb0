"""Ways to have a plan run: here in a child process, or elsewhere; one file each."""
