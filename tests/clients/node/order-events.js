// Publishes `order.shipped` as a CloudEvent for each line `ORDER EMAIL` of standard input.
import { createInterface } from 'node:readline'
import { Kafka, Partitioners } from 'kafkajs'

const kafka = new Kafka({
  clientId: 'order-events',
  brokers: process.env.KAFKA_BOOTSTRAP_SERVERS.split(','),
})
// Idempotence: acknowledged by all in-sync replicas; a retry neither repeats nor reorders.
const producer = kafka.producer({
  idempotent: true,
  maxInFlightRequests: 1,
  createPartitioner: Partitioners.DefaultPartitioner,
})

await producer.connect()
for await (const line of createInterface({ input: process.stdin })) {
  const [order, email] = line.split(' ')
  const data = {
    email,
    language: 'en-GB',
    externalId: order,
    ctx: {
      customer: { firstName: 'Ada' },
      order: { number: order },
      parcel: { carrier: 'Acme Post', trackingUrl: `https://example.com/${order}` },
    },
  }
  // The event's id becomes `/shop#order-shipped-…`: the source, a number sign, the id.
  const headers = {
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_type: 'order.shipped',
    ce_source: '/shop',
    ce_id: `order-shipped-${order}`,
    ce_time: new Date().toISOString(),
  }
  await producer.send({
    topic: 'rt-event',
    messages: [{ key: order, value: JSON.stringify(data), headers }],
  })
}
await producer.disconnect()
