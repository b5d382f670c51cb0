"""The final front: validated on images that the search did not use, timed here."""
