"""A child that measures nothing: what it does on a board is written in a file named after the board's host."""

import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path


def end_with_input():
    while os.read(0, 1 << 12):
        pass
    os._exit(130)


asked = json.loads(sys.stdin.readline())
threading.Thread(target=end_with_input, daemon=True).start()
script, profile = Path(sys.argv[1]), sys.argv[2]
host = asked["device"].rpartition("/")[2]
if "try" in asked:  # each word is a profile's refusal, but these
    words = (script / host).read_text().split() if (script / host).exists() else []
    if words == ["unreachable"]:
        print(json.dumps({"error": "it is unreachable", "unreachable": True}), flush=True)
        sys.exit(3)
    if words == ["exit"]:
        sys.exit(9)
    for number in range(len(asked["try"])):
        print(json.dumps({"tried": number, "refused": words[number] if number < len(words) else ""}), flush=True)
    sys.exit(0)
out = Path(asked["out"])
building = out.with_name(out.name + ".building")
goes_on = building.exists()
building.mkdir(exist_ok=True)
(script / f"{host}.pid").write_text(str(os.getpid()))
for word in (script / host).read_text().split() if (script / host).exists() else ():
    if word == "wait":  # until somebody kills it, or says that it may end
        print(json.dumps({"done": 1, "total": 2, "eta_s": 1}), flush=True)
        while not (script / f"{host}.go").exists():
            time.sleep(0.01)
    elif word == "meet":  # until two boards are here at once
        (script / f"{host}.here").touch()
        while len(list(script.glob("*.here"))) < 2:
            time.sleep(0.01)
    elif word == "chatter":
        print("no JSON, \x1b[2J", flush=True)
        print("[1, 2]", flush=True)
    elif word == "exit":
        print("Segmentation fault \x1b[31m", file=sys.stderr)
        sys.exit(9)
    else:
        print(json.dumps({"error": f"it is {word}", "unreachable": word == "unreachable"}), flush=True)
        sys.exit(3)
shutil.copy(profile, out)
building.rmdir()
(script / f"{out.parent.name}.{out.name}.{'resumed' if goes_on else 'whole'}").touch()
print(json.dumps({"quality": "good"}), flush=True)
