// The peer of the case `throughput`: BullMQ on Redis, a job a message, sent by one Node process over connections that are kept.
//
//     node bullmq.js redis-port gateway-port jobs concurrency
//
// All jobs stand in the queue before the first is taken.  Prints, as JSON, ms to put them there and ms until the last is recorded as completed.

const http = require('http')
const { Queue, Worker } = require('bullmq')
const IORedis = require('ioredis')

const [redisPort, gatewayPort, jobs, concurrency] = process.argv.slice(2).map(Number)
const connection = () => new IORedis({ host: '127.0.0.1', port: redisPort, maxRetriesPerRequest: null })
const agent = new http.Agent({ keepAlive: true, maxSockets: concurrency, maxFreeSockets: concurrency })

function send(data, id) {
    const text = `Hello ${data.first_name}, our sale starts today.`
    const body = JSON.stringify({ data: { from: data.from, to: [data.to], text, channel: 'SMS', id } })
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), 'Idempotency-Key': id }
    return new Promise((resolve, reject) => {
        const request = http.request({ host: '127.0.0.1', port: gatewayPort, path: '/v1/messages', method: 'POST', agent, headers }, reply => {
            reply.resume()
            reply.on('end', () => reply.statusCode === 200 ? resolve() : reject(new Error(`status ${reply.statusCode}`)))
        })
        request.on('error', reject)
        request.end(body)
    })
}

async function main() {
    const queue = new Queue('messages', { connection: connection() })
    const added = process.hrtime.bigint()

    for (let i = 0; i < jobs; i += 2000) {
        const bulk = []
        for (let k = i; k < Math.min(i + 2000, jobs); k++) {
            bulk.push({ name: 'sms', data: { from: 'Acme', to: String(33199000000 + k), first_name: 'Chloe' },
                        opts: { attempts: 5, backoff: { type: 'exponential', delay: 1000 }, removeOnComplete: true } })
        }
        await queue.addBulk(bulk)
    }

    const from = process.hrtime.bigint()
    let left = jobs

    await new Promise((resolve, reject) => {
        const worker = new Worker('messages', job => send(job.data, job.id), { connection: connection(), concurrency })
        worker.on('completed', () => { if (--left === 0) resolve() })
        worker.on('failed', (job, error) => reject(error))
        worker.on('error', reject)
    })

    const end = process.hrtime.bigint()
    console.log(JSON.stringify({ add: Number(from - added) / 1e6, send: Number(end - from) / 1e6,
                                 cpu: process.cpuUsage().user / 1e3 + process.cpuUsage().system / 1e3 }))
    process.exit(0)
}

main().catch(error => { console.error(error); process.exit(1) })
