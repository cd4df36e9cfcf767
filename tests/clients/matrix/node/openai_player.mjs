// The OpenAI SDK for Node; its realtime half speaks TLS only, which no door here has.
import OpenAI, { toFile } from "openai";
import { collected } from "./collecting.mjs";

const model = "atlas-1";
const messages = [{ role: "user", content: "Greetings from where?" }];
const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools = [{ type: "function", function: { name: "get_weather", parameters } }];
const functions = [{ type: "function", name: "get_weather", parameters, strict: false }];
const url = `data:image/png;base64,${"iVBORw0KGgo=".repeat(150_000)}`;
const picture = [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }];

const at = (base, maxRetries = 0) => new OpenAI({ baseURL: `${base}/v1`, apiKey: "sk-client", maxRetries });
const sound = () => toFile(Buffer.alloc(100_000, "sound"), "hello.wav", { type: "audio/wav" });
const notes = () => toFile(Buffer.alloc(2_000_000, "notes\r\n"), "notes.jsonl");
const bytes = async (answer) => new Uint8Array(await answer.arrayBuffer());

const chat = (more) => (base) => at(base, more?.model === "flaky" ? 1 : 0).chat.completions.create({ model, messages, ...more });
const streamed = (more) => async (base) => collected(await chat({ stream: true, ...more })(base));

async function left(base) {
  for await (const chunk of await chat({ stream: true })(base)) return chunk; // leaving the loop cancels the call
}

async function rawHeaders(base) {
  const { data, response } = await chat()(base).withResponse();
  return [Object.fromEntries(response.headers), data];
}

export const WELL = {
  "chat": chat(),
  "chat tools": chat({ tools }),
  "chat stream": streamed({ stream_options: { include_usage: true } }),
  "chat stream tools": streamed({ tools }),
  "chat large": chat({ messages: picture }),
  "chat left early": left,
  "responses": (base) => at(base).responses.create({ model, input: "Where?" }),
  "responses stream": async (base) => collected(await at(base).responses.create({ model, input: "Where?", stream: true })),
  "responses stream tools": (base) => collected(at(base).responses.stream({ model, input: "Where?", tools: functions })),
  "embeddings": (base) => at(base).embeddings.create({ model, input: ["Oslo"] }),
  "audio upload": async (base) => at(base).audio.transcriptions.create({ model, file: await sound() }),
  "audio upload stream": async (base) =>
    collected(await at(base).audio.transcriptions.create({ model, file: await sound(), stream: true })),
  "audio download": async (base) => bytes(await at(base).audio.speech.create({ model, voice: "alloy", input: "Hi" })),
  "file upload": async (base) => at(base).files.create({ file: await notes(), purpose: "batch" }),
  "file download": async (base) => bytes(await at(base).files.content("file_1")),
  "images": (base) => at(base).images.generate({ model, prompt: "Oslo" }),
  "models": (base) => collected(at(base).models.list()),
  "raw headers": rawHeaders,
  "packed": chat({ model: "zipped" }),
  "packed stream": streamed({ model: "zipped" }),
  "tried again": chat({ model: "flaky" }),
};
export const BADLY = {
  "429": chat({ model: "limited" }),
  "500": chat({ model: "broken" }),
  "cut": chat({ model: "cut" }),
  "429 stream": streamed({ model: "limited" }),
  "cut stream": streamed({ model: "cut" }),
  "malformed stream": streamed({ model: "malformed" }),
};
