"""A super-network whose sub-networks are evaluated in a process of their own, which may hang, be killed, or die."""
