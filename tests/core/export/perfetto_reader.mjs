// Perfetto's own trace processor, in the form in which its user interface carries it (a web worker), on a file of requests; its answers go to another file.
import {readFileSync, writeFileSync} from 'node:fs';
import vm from 'node:vm';

const fail = error => {
  process.stderr.write(`${String(error?.stack ?? error).trim().slice(-800)}\n`);
  process.exit(1);
};
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
const [folder, requests, answers] = process.argv.slice(2);
const file = url => new Uint8Array(readFileSync(`${folder}/${String(url).split('/').pop()}`));

class Request {
  open(method, url) { this.url = url; }
  send() { this.status = 200; this.response = file(this.url).buffer; }
}

const parts = [];
const port = {onmessage: null, postMessage: data => parts.push(Buffer.from(data))};
const console = {log() {}, warn() {}, error() {}};
const location = {href: 'https://localhost/engine_bundle.js'};
const worker = {URL, TextDecoder, TextEncoder, setTimeout, performance, console, location, WorkerGlobalScope: class {}, XMLHttpRequest: Request};
worker.self = worker;
vm.createContext(worker);
try {
  vm.runInContext(readFileSync(`${folder}/engine_bundle.js`, 'utf8'), worker);
  const bytes = vm.runInContext('Uint8Array', worker);
  const wanted = new bytes(readFileSync(requests));
  worker.onmessage({data: port});
  // a message that comes before the module is ready would be written over its memory
  await new Promise(done => setTimeout(done, 100));
  port.onmessage({data: wanted});
} catch (error) {
  fail(error);
}
writeFileSync(answers, Buffer.concat(parts));
