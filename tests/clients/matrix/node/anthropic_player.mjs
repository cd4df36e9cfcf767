// The Anthropic SDK for Node.
import Anthropic from "@anthropic-ai/sdk";
import { collected } from "./collecting.mjs";

const messages = [{ role: "user", content: "Greetings from where?" }];
const tools = [{ name: "get_weather", input_schema: { type: "object", properties: { city: { type: "string" } } } }];

const at = (base, maxRetries = 0) => new Anthropic({ baseURL: base, apiKey: "sk-client", maxRetries });
const message = (more) => (base) =>
  at(base, more?.model === "flaky" ? 1 : 0).messages.create({ model: "atlas-1", messages, max_tokens: 99, ...more });
const streamed = (more) => async (base) => collected(await message({ stream: true, ...more })(base));

async function streamedTools(base) {
  const stream = at(base).messages.stream({ model: "atlas-1", messages, max_tokens: 99, tools });
  return [...(await collected(stream)), await stream.finalMessage()];
}

export const WELL = {
  "chat": message(),
  "chat tools": message({ tools }),
  "chat stream": streamed(),
  "chat stream tools": streamedTools,
  "tokens counted": (base) => at(base).messages.countTokens({ model: "atlas-1", messages }),
  "packed": message({ model: "zipped" }),
  "packed stream": streamed({ model: "zipped" }),
  "tried again": message({ model: "flaky" }),
};
export const BADLY = {
  "429": message({ model: "limited" }),
  "500": message({ model: "broken" }),
  "cut": message({ model: "cut" }),
  "429 stream": streamed({ model: "limited" }),
  "cut stream": streamed({ model: "cut" }),
  "malformed stream": streamed({ model: "malformed" }),
};
