// The lines of the hand-made session files beside this file.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export function fixture(name: string): string {
  return readFileSync(fileURLToPath(new URL(`fixtures/${name}`, import.meta.url)), "utf8");
}

export function fixtureLines(name: string): readonly Buffer[] {
  return fixture(name)
    .trimEnd()
    .split("\n")
    .map((line) => Buffer.from(line));
}

export const jsonLine = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
