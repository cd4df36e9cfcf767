// `node play.mjs CLIENT DIRECT PROXIED`: as tests/clients/matrix/play.py, for the libraries of Node.
import { createHash } from "node:crypto";

const [client, direct, proxied] = process.argv.slice(2);
const { WELL, BADLY } = await import(`./${client}_player.mjs`);
// Clock, connection, and ids that a library draws by lot.
const LEFT_OUT = new Set(["date", "connection", "keep-alive", "transfer-encoding", "timestamp", "messageId"]);
globalThis.AI_SDK_LOG_WARNINGS = false;

function plain(value) {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value);
    return `${bytes.length} bytes, SHA-256 ${createHash("sha256").update(bytes).digest("hex")}`;
  }
  if (value instanceof Headers) return plain(Object.fromEntries(value));
  if (value instanceof Error) return error(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value ?? null;
  const kept = Object.entries(value).filter(([key]) => !LEFT_OUT.has(key));
  return Object.fromEntries(kept.map(([key, one]) => [key, plain(one)]));
}

function error(raised) {
  return {
    before: plain(raised.before),
    error: raised.constructor.name,
    name: raised.name,
    message: raised.message,
    status: raised.status ?? raised.statusCode ?? null,
    body: plain(raised.error ?? raised.responseBody ?? null),
    headers: plain(raised.headers ?? raised.responseHeaders ?? null),
    retryable: raised.isRetryable ?? null,
    cause: raised.cause ? { name: raised.cause.constructor.name, code: raised.cause.code ?? null } : null,
  };
}

async function played(play, base) {
  try {
    return ["well", plain(await play(base))];
  } catch (raised) {
    return ["badly", error(raised)];
  }
}

for (const [due, cases] of [["well", WELL], ["badly", BADLY]]) {
  for (const [name, play] of Object.entries(cases)) {
    for (const [door, root] of [["direct", direct], ["proxied", proxied]]) {
      const label = `node-${client}-${name.replaceAll(" ", "-")}`;
      const base = `${root}/${door}/${label}`;
      const [end, seen] = await played(play, base);
      process.stdout.write(`${JSON.stringify({ case: label, name, door, due, end, base, seen })}\n`);
    }
  }
}
process.exit(0);
