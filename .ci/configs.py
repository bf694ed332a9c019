#!/usr/bin/env python3
"""Takes the services' configuration files out of rendered manifests: configs.py OUT FILE...

Writes OUT/VALUES/SERVICE.toml for every ConfigMap with a `config.toml`, and prints their paths.
"""
import pathlib
import sys

import yaml


def main():
    out, *files = map(pathlib.Path, sys.argv[1:])
    for file in files:
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            if not document or document["kind"] != "ConfigMap" or "config.toml" not in document["data"]:
                continue
            service = document["metadata"]["labels"]["app.kubernetes.io/component"]
            path = out / file.stem / f"{service}.toml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(document["data"]["config.toml"], encoding="utf-8")
            print(path)


if __name__ == "__main__":
    main()
