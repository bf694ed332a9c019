#!/bin/sh
bindery topics apply
bindery template publish examples/templates
rt-event-consumer --set instance=rt-a --set health.listen=127.0.0.1:8081 &
batch-event-consumer --set instance=batch-a --set health.listen=127.0.0.1:8082 &
status-sync --set instance=sync-a --set health.listen=127.0.0.1:8083 &
for port in 8081 8082 8083; do
    until curl -fs "http://127.0.0.1:$port/ready" >/dev/null; do sleep 1; done
done
bindery send rt <<EVENT
{"id":"hello-1","type":"account.sign-in-code","mobilePhone":"+33612345678","ctx":{"code":"493201"}}
EVENT
until bindery status hello-1; do sleep 1; done
bindery lag
