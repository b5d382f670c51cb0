"""How super-networks' weights are made: one trainer for every task, training data (batches and losses), and recipes."""
