#!/bin/sh
PYTHONPATH=target/clients/python exec target/clients/python/bin/python tests/clients/python/order_mails.py
