#!/bin/sh
# From the root of the repository. Needs Python 3.10 or later with its module `venv`.
set -e
python3 -m venv target/clients/python
target/clients/python/bin/pip install -q -r tests/clients/python/requirements.txt
target/clients/python/bin/python -m grpc_tools.protoc \
    -I proto --python_out=target/clients/python proto/bindery/v1/*.proto
