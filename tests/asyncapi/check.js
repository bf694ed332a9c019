// Reads the AsyncAPI document it is given with AsyncAPI's own parser and prints what is wrong with it.
import { readFile } from 'node:fs/promises'
import { Parser } from '@asyncapi/parser'

const file = process.argv[2]
const { document, diagnostics } = await new Parser().parse(await readFile(file, 'utf8'))
// 0 is an error, 1 a warning; the rest is advice.
const serious = diagnostics.filter(({ severity }) => severity <= 1)
for (const { path, message } of serious) console.error(`${file}: ${path.join('.')}: ${message}`)
if (!document || serious.length > 0) process.exit(1)
const { length: channels } = document.channels().all()
const { length: operations } = document.operations().all()
console.log(`${file}: ${channels} channels, ${operations} operations`)
