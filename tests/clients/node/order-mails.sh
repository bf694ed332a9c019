#!/bin/sh
exec node target/clients/node/order-mails.js
