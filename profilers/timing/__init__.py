"""The timing protocol: what a visit is, when which model is visited, and the plan that says so."""
