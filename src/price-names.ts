// Model ids as callers write them, reduced to the forms in which price lists keep and compare them.

/** Bedrock's own form, "us.anthropic.claude-…": an optional region profile, a vendor and a dot. */
const REGION = /^(?:global|regional|us-gov|us|eu|apac|ap|jp|au|ca|in|sa)\./;
const BEDROCK_VENDOR =
  /^(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshot|moonshotai|nvidia|openai|qwen|writer|zai)\.(?=[a-z])/;
/** Bedrock's "-v1:0"; then a date (20250514, 2025-05-14), a moving tag or Google's three-digit revision. */
const REVISION = /-v\d+:\d+$/;
const DATE = /[-@](?:20\d{2}(?:-?\d{2}-?\d{2})?|latest|default|00\d)?$/;

const CURRENT_FAMILY = /^(?:claude-(?:fable|haiku|opus|sonnet)-|gpt-[5-9]|gemini-(?:2\.5|[3-9]))/;
const MEDIA = /-(?:image|tts|live|audio)\b/;

/** Lower case, without Claude Code's "[1m]", Gemini's "models/", Vertex' and Bedrock's resource paths. */
export function bareId(model: string): string {
  const id = model
    .trim()
    .toLowerCase()
    .replace(/\[1m\]$/, "");
  if (id.startsWith("arn:aws")) return id.slice(id.lastIndexOf("/") + 1);
  return id.replace(/^(?:(?:projects\/.*)?publishers\/[^/]+\/)?models\//, "");
}

export function isBedrockId(id: string): boolean {
  return BEDROCK_VENDOR.test(id.replace(REGION, ""));
}

/** Bedrock's cross-region profile without the regional premium. */
export function isGlobalBedrockId(id: string): boolean {
  return id.startsWith("global.");
}

/** The id without revision, date and moving tag. */
export function undatedId(id: string): string {
  return id.replace(REVISION, "").replace(DATE, "");
}

/** The id for comparison only: also without region and vendor, and with "5.5" written "5-5". */
export function plainId(id: string): string {
  return undatedId(id).replace(REGION, "").replace(BEDROCK_VENDOR, "").replaceAll(".", "-");
}

/** Whether somebody would run it now: a family that its vendor still sells, and one that answers with text. */
export function isCurrentModel(id: string): boolean {
  return CURRENT_FAMILY.test(id) && !MEDIA.test(id);
}

/** The ways to ask a list for one model, nearest first: as written, "@" as "-", undated, "5.1" as "5-1". */
export function spellings(id: string): ReadonlySet<string> {
  const undated = undatedId(id);
  return new Set([id, id.replace("@", "-"), undated, undated.replace(/(?<=\d)\.(?=\d)/g, "-")]);
}
