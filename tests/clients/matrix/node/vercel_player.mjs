// Vercel's AI SDK towards OpenAI (responses by default, chat by name) and Anthropic.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { embed, generateText, jsonSchema, streamText, tool } from "ai";
import { collected } from "./collecting.mjs";

const prompt = "Greetings from where?";
const inputSchema = jsonSchema({ type: "object", properties: { city: { type: "string" } } });
const tools = { get_weather: tool({ description: "Weather", inputSchema }) };

const openai = (base) => createOpenAI({ baseURL: `${base}/v1`, apiKey: "sk-client" });
const responses = (name = "atlas-1") => (base) => openai(base)(name);
const chat = (name = "atlas-1") => (base) => openai(base).chat(name);
const claude = (name = "atlas-1") => (base) => createAnthropic({ baseURL: `${base}/v1`, apiKey: "sk-client" })(name);

const asked = (model, more) => async (base) => {
  const result = await generateText({ model: model(base), prompt, maxRetries: 0, ...more });
  const { text, toolCalls, finishReason, totalUsage, warnings, response, request } = result;
  return { text, toolCalls, finishReason, totalUsage, warnings, response, request };
};

const streamed = (model, more) => async (base) => {
  const result = streamText({ model: model(base), prompt, maxRetries: 0, onError: () => {}, ...more });
  const parts = await collected(result.fullStream);
  const failed = parts.find((part) => part.type === "error");
  if (failed) throw Object.assign(failed.error, { before: parts.filter((part) => part.type !== "error") });
  return parts;
};

export const WELL = {
  "responses": asked(responses()),
  "responses tools": asked(responses(), { tools }),
  "responses stream": streamed(responses()),
  "responses stream tools": streamed(responses(), { tools }),
  "chat": asked(chat()),
  "chat tools": asked(chat(), { tools }),
  "chat stream": streamed(chat()),
  "chat stream tools": streamed(chat(), { tools }),
  "embeddings": async (base) => embed({ model: openai(base).embedding("atlas-1"), value: "Oslo", maxRetries: 0 }),
  "packed stream": streamed(chat("zipped")),
  "Claude chat": asked(claude()),
  "Claude tools": asked(claude(), { tools }),
  "Claude stream": streamed(claude()),
  "Claude stream tools": streamed(claude(), { tools }),
};
export const BADLY = {
  "429": asked(chat("limited")),
  "500": asked(chat("broken")),
  "cut": asked(chat("cut")),
  "429 stream": streamed(chat("limited")),
  "cut stream": streamed(chat("cut")),
  "malformed stream": streamed(chat("malformed")),
  "Claude 429": asked(claude("limited")),
  "Claude cut stream": streamed(claude("cut")),
};
