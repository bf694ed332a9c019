#!/bin/sh
exec target/clients/go/bin/order-mails
