// Sends the assignments of the channel `email` and reports each to `delivery-log`.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Kafka, Partitioners } from 'kafkajs'
import protobuf from 'protobufjs'

const denylist = new Set(['nobody@example.com'])
const outbox = process.env.OUTBOX ?? 'outbox'
await mkdir(outbox, { recursive: true })

const proto = new protobuf.Root()
proto.resolvePath = (_, file) => join(process.env.BINDERY_PROTO ?? 'proto', file)
const Assignment = (await proto.load('bindery/v1/assignment.proto'))
  .lookupType('bindery.v1.Assignment')

/** Stands for your gateway. The id makes that it sends once, however often it is asked to. */
async function send({ assignmentId, address, templateId, ctx }) {
  const file = join(outbox, encodeURIComponent(assignmentId))
  try {
    await writeFile(file, `${address} ${templateId} ${ctx}`, { flag: 'wx' })
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
}

/** What became of it, as `outcome` and, where there is something to explain, `reason`. */
async function handle(assignment) {
  const { expiration, address } = assignment
  if (expiration && Number(expiration.seconds) * 1000 < Date.now()) {
    return { outcome: 'ignored', reason: 'expired' }
  }
  if (denylist.has(address)) return { outcome: 'ignored', reason: 'denylisted' }
  await send(assignment)
  return { outcome: 'sent' }
}

/** The headers with which the event's trace goes on, where it has one. */
function trace({ traceparent, tracestate }) {
  return { ...(traceparent && { traceparent }), ...(tracestate && { tracestate }) }
}

const kafka = new Kafka({
  clientId: 'order-mails',
  brokers: process.env.KAFKA_BOOTSTRAP_SERVERS.split(','),
})
const producer = kafka.producer({
  idempotent: true,
  maxInFlightRequests: 1,
  createPartitioner: Partitioners.DefaultPartitioner,
})
// KafkaJS leaves out what was rolled back unless it is told `readUncommitted`.
const consumer = kafka.consumer({ groupId: 'order-mails' })
await producer.connect()
await consumer.connect()
await consumer.subscribe({ topics: ['rt-assignment'], fromBeginning: true })

let left
async function leave() {
  await consumer.disconnect()
  await producer.disconnect()
}
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => (left ??= leave()))

await consumer.run({
  // Commits a record only after this function has returned for it.
  eachMessage: async ({ message }) => {
    const assignment = Assignment.decode(message.value)
    if (assignment.channel !== 'email') return
    const log = {
      assignmentId: assignment.assignmentId,
      ...(await handle(assignment)),
      occurredAt: new Date().toISOString(),
      provider: 'example',
    }
    await producer.send({
      topic: 'delivery-log',
      messages: [{
        key: assignment.eventId,
        value: JSON.stringify(log),
        headers: { 'content-type': 'application/json', ...trace(message.headers) },
      }],
    })
  },
})
