"""Options and arguments that several verbs share, and what their values become."""
