"""Compares a report of the suite with expected.txt: every case that was asked for must be there, and no other.

    check.py WHO INDEX CASE...
"""

import json
import sys
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

who, index, *patterns = sys.argv[1:]

# Each a table: case -> (behavior, behavior at the close).
expected = {}
for line in Path(__file__).with_name("expected.txt").read_text().splitlines():
    case, behavior, closing = line.split()
    if any(fnmatchcase(case, pattern) for pattern in patterns):
        expected[case] = behavior, closing

reported = {}
if Path(index).exists():
    (agent,) = json.loads(Path(index).read_text()).values()
    reported = {case: (result["behavior"], result["behaviorClose"]) for case, result in agent.items()}


def counts(column):
    return ", ".join(f"{result} {n}" for result, n in Counter(row[column] for row in reported.values()).most_common())


def say(line):
    print(f"autobahn {who}: {line}")


wrong = [case for case in expected.keys() | reported.keys() if expected.get(case) != reported.get(case)]
for case in sorted(wrong, key=lambda case: [int(part) for part in case.split(".")]):
    want, got = (" / ".join(table.get(case, ["no case"])) for table in (expected, reported))
    say(f"{case} is {got}, expected {want}")

say(f"closing {counts(1)}")
failed = bool(wrong) or not reported
verdict = f"{len(wrong)} not as expected, see {Path(index).parent}" if failed else "as expected"
say(f"{len(reported)} cases, {counts(0)}: {verdict}")
sys.exit(failed)
