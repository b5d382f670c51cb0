"""What the benchmarks of the search share: landscapes to search, methods that search them, the driver, the tables.

A method is driven through `Tactic.ask` alone, and everything that it asks for is measured here. It is judged by the
noise-free values of what it validated in full, against its cost in full validations: a look at a tenth of the images
costs a tenth.
"""
