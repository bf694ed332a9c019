#!/bin/sh
# From the root of the repository. Needs Node.js 18 or later.
set -e
mkdir -p target/clients/node
cp tests/clients/node/* tests/clients/node/.npmrc target/clients/node/
npm ci --prefix target/clients/node --silent --no-audit --no-fund
