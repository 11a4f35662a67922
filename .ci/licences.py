"""Checks every dependency's licence and source against deny.toml. Reads `cargo metadata`."""

import json
import re
import sys
import tomllib


def allowed(expression: str, allow: set[str]) -> bool:
    """Whether an SPDX expression is satisfied by the allowed licences."""
    expression = expression.replace("/", " OR ")
    tokens = re.findall(r"\(|\)|AND|OR|[A-Za-z0-9.+-]+(?: WITH [A-Za-z0-9.+-]+)?", expression)

    def alternatives() -> bool:
        value = conjunction()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            value = conjunction() or value
        return value

    def conjunction() -> bool:
        value = atom()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            value = atom() and value
        return value

    def atom() -> bool:
        token = tokens.pop(0)
        if token == "(":
            value = alternatives()
            tokens.pop(0)
            return value
        return token in allow

    return alternatives() and not tokens


def main() -> int:
    with open(sys.argv[1], "rb") as file:
        allow = set(tomllib.load(file)["licenses"]["allow"])
    packages = json.load(sys.stdin)["packages"]
    defects = []
    for package in packages:
        name = f"{package['name']} {package['version']}"
        if not allowed(package["license"] or "none", allow):
            defects.append(f"{name}: licence {package['license']}")
        if package["source"] and not package["source"].startswith("registry+"):
            defects.append(f"{name}: source {package['source']}")
    for defect in defects:
        print(defect, file=sys.stderr)
    print(f"{len(packages)} packages, {len(defects)} not allowed")
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main())
