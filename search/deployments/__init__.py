"""Deployments of a network on one device: precision, runtime, threads."""
