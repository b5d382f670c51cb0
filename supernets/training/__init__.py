"""How super-networks' weights are made: one trainer for every task, lessons (what a task teaches), and recipes."""
