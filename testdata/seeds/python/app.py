# SPDX-License-Identifier: Apache-2.0
"""Prints what make put into the catalogue, when it was made, and when this program started."""
import time

import catalogue

print(f"{len(catalogue.names)} seeds, the last is {catalogue.names[-1]}")
print("made", catalogue.made)
print(f"started {time.time():.9f}")
