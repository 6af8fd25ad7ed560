# SPDX-License-Identifier: Apache-2.0
"""judge.py REPORT EXCEPTIONS: 1 if a case failed that must pass. REPORT is the JSON of the suite's runner."""
import json
import sys


def judge(results, rules):
    """The failed cases of the categories that count, and how many of the exceptions pass now."""
    words = [line.split() for line in rules.splitlines() if line and not line.startswith("#")]
    categories = {word for kind, word in words if kind == "category"}
    exceptions = {word for kind, word in words if kind == "except"}
    failed = [case for case in results if case["result"] == "FAIL" and case["category"] in categories]
    healed = sum(case["id"] in exceptions and case["result"] == "PASS" for case in results)
    return [case for case in failed if case["id"] not in exceptions], healed


def main(report, exceptions):
    with open(report, encoding="utf-8") as file, open(exceptions, encoding="utf-8") as rules:
        bad, healed = judge(json.load(file), rules.read())
    for case in bad:
        print(f"{case['id']} must pass: {case['why']}")
    print(f"conformance: {len(bad)} cases failed that must pass; {healed} of the exceptions pass here")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
