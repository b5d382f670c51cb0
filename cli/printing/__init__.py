"""What verbs print: tables, fronts, profiles, progress."""
