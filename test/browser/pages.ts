// The dashboard's pages by their names, and how to go to one.
import type { Page } from "playwright-core";
import { when } from "./room.ts";

export const VIEWERS_PAGES = ["Now", "Costs", "Agents", "Swarms", "Incidents", "Policy", "Privacy"];
export const PAGES = [...VIEWERS_PAGES, "Keys and audit"];

/** By the navigation; the page has what it loads when this resolves. */
export async function turnTo(page: Page, title: string): Promise<void> {
  await page.getByRole("navigation").getByRole("link", { name: title, exact: true }).click();
  await settled(page, title);
}

export async function settled(page: Page, title: string): Promise<void> {
  await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
  // What is loading says so.
  await when(page, '!document.querySelector("main").innerText.includes("Loading …")');
}
