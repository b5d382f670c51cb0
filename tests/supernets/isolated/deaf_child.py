"""A child that answers once and then reads nothing more; started by the tests beside it."""

import sys
import time

sys.stdin.readline()
print("{}", flush=True)
time.sleep(3600)
