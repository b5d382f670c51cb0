"""The process that times: it runs a plan on the device and appends what it measures."""
