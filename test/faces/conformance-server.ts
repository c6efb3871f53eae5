// The server the conformance suite asks for: its tools, resources and prompts, to be mounted in our faces.
import { setTimeout as wait } from "node:timers/promises";
import {
  completable,
  createRequestStateCodec,
  fromJsonSchema,
  type InputRequests,
  inputRequired,
  type JsonSchemaType,
  McpServer,
  type ProgressToken,
  ResourceTemplate,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { z } from "zod";

/** A red pixel, and a sound of no length. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

const text = (words: string) => ({ type: "text" as const, text: words });
const image = { type: "image" as const, data: PNG, mimeType: "image/png" };
const says = (...content: ReturnType<typeof text>[]) => ({ content });
const states = createRequestStateCodec<{ round: number }>({ key: "0123456789abcdef0123456789abcdef" });

export function conformanceServer(): McpServer {
  const server = new McpServer(
    { name: "conformance", version: "1.0.0" },
    {
      capabilities: {
        tools: { listChanged: false },
        resources: { listChanged: false, subscribe: true },
        prompts: { listChanged: false },
        logging: {},
        completions: {},
      },
      requestState: { verify: states.verify },
    },
  );
  offerContent(server);
  offerNotifying(server);
  offerAsking(server);
  offerRounds(server);
  offerResources(server);
  offerPrompts(server);
  return server;
}

function offerContent(server: McpServer): void {
  const resource = (uri: string, mimeType: string, words: string) => ({
    type: "resource" as const,
    resource: { uri, mimeType, text: words },
  });
  const tool = (name: string, content: object[]) =>
    server.registerTool(name, { description: name }, () => ({ content: content as ReturnType<typeof text>[] }));
  tool("test_simple_text", [text("This is a simple text response for testing.")]);
  tool("test_image_content", [image]);
  tool("test_audio_content", [{ type: "audio", data: WAV, mimeType: "audio/wav" }]);
  tool("test_embedded_resource", [
    resource("test://embedded-resource", "text/plain", "This is an embedded resource content."),
  ]);
  tool("test_multiple_content_types", [
    text("Multiple content types test:"),
    image,
    resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
  ]);
  server.registerTool("test_error_handling", { description: "Fails." }, () => {
    throw new Error("This tool intentionally returns an error for testing");
  });
  const inputSchema = fromJsonSchema<Record<string, unknown>>(RICH_SCHEMA);
  server.registerTool("json_schema_2020_12_tool", { description: "A rich schema.", inputSchema }, () =>
    says(text("ok")),
  );
  const region = fromJsonSchema<{ region?: string }>({
    type: "object",
    properties: { region: { type: "string", "x-mcp-header": "Region" } },
  } as JsonSchemaType);
  server.registerTool("test_custom_headers", { description: "A header.", inputSchema: region }, (args) =>
    says(text(String(args.region))),
  );
}

const RICH_SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: {
    address: {
      $anchor: "addressDef",
      type: "object",
      properties: { street: { type: "string" }, city: { type: "string" } },
    },
  },
  properties: {
    name: { type: "string" },
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: { type: "string" },
    email: { type: "string" },
  },
  allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
  if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ["phone"] },
  else: { required: ["email"] },
  additionalProperties: false,
} as JsonSchemaType;

function offerNotifying(server: McpServer): void {
  const logging = async ({ mcpReq }: ServerContext) => {
    for (const words of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
      await mcpReq.log("info", words);
      await wait(50);
    }
    return says(text("logged"));
  };
  server.registerTool("test_tool_with_logging", { description: "Logs." }, logging);
  server.registerTool("test_logging_tool", { description: "Logs." }, logging);
  server.registerTool("test_tool_with_progress", { description: "Reports progress." }, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken as ProgressToken | undefined;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined)
        await mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, total: 100 } });
      await wait(50);
    }
    return says(text("done"));
  });
}

const elicit = (message: string, properties: object, required = Object.keys(properties)) =>
  inputRequired.elicit({ message, requestedSchema: { type: "object", properties, required } as never });
const sample = (words: string) =>
  inputRequired.createMessage({ messages: [{ role: "user", content: text(words) }], maxTokens: 100 });
const string = { type: "string" };
const askName = elicit("What is your name?", { name: string });

/** Asks until every answer is there, in the shape it was asked for, and then tells what they were. */
function asking(server: McpServer, name: string, inputRequests: InputRequests, prefix = ""): void {
  server.registerTool(name, { description: name }, ({ mcpReq: { inputResponses = {} } }) => {
    const missing = Object.keys(inputRequests).some((key) => !isAnswer(inputResponses[key]));
    return missing ? inputRequired({ inputRequests }) : says(text(`${prefix}${JSON.stringify(inputResponses)}`));
  });
}

const isAnswer = (value: unknown): boolean =>
  typeof value === "object" && value !== null && ["action", "roots", "role"].some((key) => key in value);

function offerAsking(server: McpServer): void {
  const words = z.object({ prompt: z.string().default("?"), message: z.string().default("?") });
  server.registerTool("test_sampling", { description: "Samples.", inputSchema: words }, ({ prompt }, { mcpReq }) =>
    mcpReq.inputResponses?.answer
      ? says(text(`LLM response: ${JSON.stringify(mcpReq.inputResponses.answer)}`))
      : inputRequired({ inputRequests: { answer: sample(prompt) } }),
  );
  server.registerTool("test_elicitation", { description: "Elicits.", inputSchema: words }, ({ message }, { mcpReq }) =>
    mcpReq.inputResponses?.user
      ? says(text(`User response: ${JSON.stringify(mcpReq.inputResponses.user)}`))
      : inputRequired({ inputRequests: { user: elicit(message, { username: string, email: string }) } }),
  );
  const status = { type: "string", enum: ["active", "inactive", "pending"], default: "active" };
  const defaults = {
    name: { type: "string", default: "John Doe" },
    age: { type: "integer", default: 30 },
    score: { type: "number", default: 95.5 },
    status,
    verified: { type: "boolean", default: true },
  };
  asking(
    server,
    "test_elicitation_sep1034_defaults",
    { all: elicit("Defaults", defaults, []) },
    "Elicitation completed: ",
  );
  const titled = (key: string, ...titles: string[]) => titles.map((title, i) => ({ const: `${key}${i + 1}`, title }));
  const enums = {
    untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] },
    titledSingle: { type: "string", oneOf: titled("value", "First Option", "Second Option", "Third Option") },
    legacyEnum: {
      type: "string",
      enum: ["opt1", "opt2", "opt3"],
      enumNames: ["Option One", "Option Two", "Option Three"],
    },
    untitledMulti: { type: "array", items: { type: "string", enum: ["option1", "option2", "option3"] } },
    titledMulti: { type: "array", items: { anyOf: titled("value", "First Choice", "Second Choice", "Third Choice") } },
  };
  asking(server, "test_elicitation_sep1330_enums", { all: elicit("Enums", enums, []) }, "Elicitation completed: ");
  asking(server, "test_input_required_result_elicitation", { user_name: askName }, "Hello, ");
  asking(server, "test_input_required_result_sampling", { capital_question: sample("What is the capital of France?") });
  asking(server, "test_input_required_result_list_roots", { client_roots: inputRequired.listRoots() });
  asking(server, "test_streaming_elicitation", { user_name: askName });
  asking(server, "test_missing_capability", { answer: sample("?") });
  server.registerTool("test_input_required_result_capabilities", { description: "Asks what it may." }, () => {
    const can = server.server.getClientCapabilities();
    return inputRequired({
      inputRequests: {
        ...(can?.sampling && { answer: sample("?") }),
        ...(can?.elicitation && { user_name: askName }),
      },
      requestState: "none",
    });
  });
}

/** Tools of several rounds, told apart by a signed state. */
function offerRounds(server: McpServer): void {
  const rounds = (name: string, asks: InputRequests[], done = "done") =>
    server.registerTool(name, { description: name }, async ({ mcpReq }) => {
      const round = mcpReq.requestState<{ round: number }>()?.round ?? 0;
      const inputRequests = asks[round];
      if (!inputRequests) return says(text(done));
      return inputRequired({ inputRequests, requestState: await states.mint({ round: round + 1 }) });
    });
  const confirm = elicit("Please confirm", { ok: { type: "boolean" } });
  rounds("test_input_required_result_request_state", [{ confirm }], "state-ok");
  rounds("test_input_required_result_tampered_state", [{ confirm }]);
  rounds("test_input_required_result_multiple_inputs", [
    { user_name: askName, greeting: sample("Generate a greeting"), client_roots: inputRequired.listRoots() },
  ]);
  rounds("test_input_required_result_multi_round", [
    { step1: elicit("Step 1: What is your name?", { name: string }) },
    { step2: elicit("Step 2: What is your favorite color?", { color: string }) },
  ]);
}

function offerResources(server: McpServer): void {
  const config = { description: "For tests.", mimeType: "text/plain" };
  const read = (words: string) => (uri: URL) => ({
    contents: [{ uri: uri.href, mimeType: "text/plain", text: words }],
  });
  server.registerResource(
    "static",
    "test://static-text",
    config,
    read("This is the content of the static text resource."),
  );
  server.registerResource("watched", "test://watched-resource", config, read("Watched."));
  const png = { ...config, mimeType: "image/png" };
  server.registerResource("binary", "test://static-binary", png, ({ href }) => ({
    contents: [{ uri: href, mimeType: "image/png", blob: PNG }],
  }));
  const template = new ResourceTemplate("test://template/{id}/data", { list: undefined });
  server.registerResource("template", template, config, ({ href }, { id }) => {
    const data = { id, templateTest: true, data: `Data for ID: ${id}` };
    return { contents: [{ uri: href, mimeType: "application/json", text: JSON.stringify(data) }] };
  });
  server.server.setRequestHandler("resources/subscribe", () => ({}));
  server.server.setRequestHandler("resources/unsubscribe", () => ({}));
}

function offerPrompts(server: McpServer): void {
  const user = (content: object) => ({ role: "user" as const, content: content as ReturnType<typeof text> });
  const prompt = (name: string, messages: object[]) =>
    server.registerPrompt(name, { description: name }, () => ({ messages: messages.map(user) }));
  prompt("test_simple_prompt", [text("This is a simple prompt for testing.")]);
  prompt("test_prompt_with_image", [image, text("Please analyze the image above.")]);
  const two = z.object({ arg1: completable(z.string(), () => ["paris", "park", "party"]), arg2: z.string() });
  const description = "With arguments.";
  server.registerPrompt("test_prompt_with_arguments", { description, argsSchema: two }, ({ arg1, arg2 }) => ({
    messages: [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
  }));
  const one = z.object({ resourceUri: z.string() });
  server.registerPrompt("test_prompt_with_embedded_resource", { description, argsSchema: one }, ({ resourceUri }) => {
    const resource = { uri: resourceUri, mimeType: "text/plain", text: "Embedded resource content for testing." };
    return {
      messages: [user({ type: "resource", resource }), user(text("Please process the embedded resource above."))],
    };
  });
  const ask = { user_context: elicit("What context should the prompt use?", { context: string }) };
  server.registerPrompt("test_input_required_result_prompt", { description }, ({ mcpReq }) =>
    mcpReq.inputResponses?.user_context
      ? { messages: [user(text(JSON.stringify(mcpReq.inputResponses.user_context)))] }
      : inputRequired({ inputRequests: ask }),
  );
}
