#!/usr/bin/env python3
"""Turns a CustomResourceDefinition into a strict JSON schema for one version of its kind.

    from-crd.py CRD.yaml VERSION > KIND-GROUP-VERSION.json

Strict: a field that the definition does not name is refused, as the API server would silently drop it.
Descriptions are left out; they are most of a definition and validate nothing.
"""
import json
import sys

import yaml


def strict(node):
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    kept = {}
    for key, value in node.items():
        if key == "description" and isinstance(value, str) or key.startswith("x-kubernetes-"):
            continue
        if key == "properties":
            kept[key] = {name: strict(property) for name, property in value.items()}
        elif key not in ("default", "format"):
            kept[key] = strict(value)
    is_open = node.get("x-kubernetes-preserve-unknown-fields", False)
    if "properties" in node and "additionalProperties" not in node and not is_open:
        kept["additionalProperties"] = False
    return kept


def main():
    path, version = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        definition = yaml.safe_load(file)["spec"]
    [found] = [known for known in definition["versions"] if known["name"] == version]
    schema = strict(found["schema"]["openAPIV3Schema"])
    kind, group = definition["names"]["kind"], definition["group"]
    schema["properties"].pop("status", None)
    schema["properties"]["apiVersion"] = {"const": f"{group}/{version}"}
    schema["properties"]["kind"] = {"const": kind}
    schema["properties"]["metadata"] = {"type": "object", "required": ["name"]}
    schema["required"] = sorted({"apiVersion", "kind", "metadata", *schema.get("required", [])})
    json.dump({"$schema": "http://json-schema.org/draft-07/schema#", **schema}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
