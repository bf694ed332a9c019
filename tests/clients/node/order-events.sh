#!/bin/sh
exec node target/clients/node/order-events.js
