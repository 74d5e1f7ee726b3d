#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Validates documents against the schemas that ship.

Without arguments: every schema itself, every JSON file of tests/golden/report and every policy. With arguments: these files ("-" is
stdin), one document a file or one a line. The schema is the one that the document names; the document inside an answer is
validated against its own. Exit 0: all valid; 1: not; 77: python3-jsonschema is missing (automake's "skipped").
"""
import glob
import json
import os
import re
import sys

try:
    import jsonschema
except ImportError:
    print("check-schemas: python3-jsonschema is missing, nothing was checked", file=sys.stderr)
    sys.exit(77)

TOP = os.environ.get("srcdir") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def pairs_once(pairs):
    """An object whose keys are all different, the schema first where there is one."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice")
    if "schema" in members and pairs[0][0] != "schema":
        raise ValueError("the schema is not the first member")
    return members


def no_constant(name):
    raise ValueError(name + " is no JSON number")


def blank_comments(text):
    """The text with # and // comments outside of strings left out, as the layer doc reads it."""
    return re.sub(r'("(?:[^"\\\n]|\\.)*")|(?:#|//)[^\n]*', lambda m: m.group(1) or "", text)


def parse(text):
    return json.loads(text, object_pairs_hook=pairs_once, parse_constant=no_constant)


def load_schemas():
    schemas = {}
    for path in sorted(glob.glob(os.path.join(TOP, "schemas", "*.schema.json")) +
                       glob.glob(os.path.join(TOP, "policies", "*.schema.json"))):
        with open(path, encoding="utf-8") as file:
            schema = json.load(file)
        validator = jsonschema.validators.validator_for(schema)
        validator.check_schema(schema)
        schemas[schema["title"]] = validator(schema)
    return schemas


def documents(text):
    """One document, or one a line."""
    try:
        return [parse(text)]
    except json.JSONDecodeError:
        return [parse(line) for line in text.splitlines() if line.strip()]


def problems(schemas, document):
    kind = document.get("schema") if isinstance(document, dict) else None
    if kind not in schemas:
        return ["no schema for %r" % kind]
    found = ["%s: %s" % ("/".join(map(str, error.absolute_path)) or kind, error.message)
             for error in schemas[kind].iter_errors(document)]
    if kind == "ctwarden.answer/1" and "document" in document:
        found += problems(schemas, document["document"])
    return found


def main(paths):
    schemas = load_schemas()
    checked = bad = 0
    if not paths:
        paths = sorted(glob.glob(os.path.join(TOP, "tests", "golden", "report", "*.json")))
        paths += sorted(path for path in glob.glob(os.path.join(TOP, "policies", "*.json"))
                        if not path.endswith(".schema.json"))
    for path in paths:
        try:
            text = sys.stdin.read() if path == "-" else open(path, encoding="utf-8").read()
            if os.path.dirname(path).endswith("policies"):
                text = blank_comments(text)
            found = [(i, problem) for i, document in enumerate(documents(text), 1)
                     for problem in problems(schemas, document)]
            checked += len(documents(text))
        except (OSError, ValueError) as error:
            found = [(0, str(error))]
        for i, problem in found:
            print("%s: document %d: %s" % (path, i, problem), file=sys.stderr)
        bad += bool(found)
    print("check-schemas: %d schemas, %d documents in %d files, %d files bad"
          % (len(schemas), checked, len(paths), bad))
    if not schemas or not checked:
        return 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
