"""Predictors of costly objectives: Gaussian process, ridge, SVR."""
